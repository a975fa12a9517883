"""Record: one score on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ganeval.errors import InputError, nearest
from ganeval.metrics import METRICS
from ganeval.report import Report
from ganeval.side import Side
from ganeval.training.guard import Diversity, diversity

FEWEST = 20  # images whose diversity says anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What `Monitor` found at a step; plain values, the same in all processes."""

    step: int
    seconds: float  # since the run began
    cost: float  # seconds that the score took
    values: Mapping[str, float]  # scores by their keys, standard errors as <key>_error, diversity_coverage and diversity_spread
    choice: float  # what the best is chosen by; lower is better, whatever the metric
    best: bool  # whether it is the best so far
    warning: str | None = None  # of a collapse

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def values_of(report: Report, diversity: Diversity | None) -> dict[str, float]:
    """As `Record.values` has them."""
    values: dict[str, float] = {}
    for key, score in report.scores.items():
        values[key] = score.value
        if score.error is not None:
            values[f"{key}_error"] = score.error
    if diversity is not None:
        values |= {f"diversity_{name}": value for name, value in diversity.to_dict().items()}
    return values


def badness(report: Report, chosen_by: str | None) -> float:
    """Of the score that chooses, the first one if none is named: lower is better, whatever the metric.

    Raises:
        InputError: there is no such score.
    """
    key = chosen_by or next(iter(report.scores))
    if key not in report.scores:
        raise InputError(f"chosen_by={key!r} is none of the scores; {nearest(key, report.scores)}")
    value = report.scores[key].value
    match METRICS[report.provenance["scores"][key]["metric"]].better:
        case "higher":
            return -value
        case "near 0":
            return abs(value)
    return value


def diversity_of(real: Side | None, fake: Side) -> Diversity | None:
    """Of the first network that has looked at images on both sides; None where the reals are stats, or too few."""
    for name, measured in fake.measured.items():
        ours = None if real is None else real.measured.get(name)
        reals, fakes = None if ours is None else ours.sample, measured.sample
        if reals is not None and fakes is not None and min(len(reals), len(fakes)) >= FEWEST:
            return diversity(_mixed(reals), _mixed(fakes))
    return None


def _mixed(rows: Tensor) -> Tensor:
    """In another order: files often come class by class, and only the first are looked at."""
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]
