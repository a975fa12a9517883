"""Verdicts: reports side by side, whether their scores may be compared at all, and which differences are more than chance."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganeval.errors import InputError
from ganeval.files import MOST_JSON, content
from ganeval.metrics import METRICS, Metric
from ganeval.report import Report, Score

SURE = 0.05  # p-values below it are called a difference
UNKNOWN = "of unknown origin"  # stats that were handed over in memory: nothing says that two are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One score of several reports."""

    key: str
    scores: Mapping[str, Score]  # by report
    differences: tuple[str, ...]  # in what makes the numbers, so that they may not be compared
    best: str | None = None  # the report that is ahead; None where the scores may not be compared
    second: str | None = None
    p: float | None = None  # two-sided, of best and second being equal; None without standard errors
    paired: bool = False
    directed: bool = True  # whether it is known which way is better; else `best` and `second` are the least and the greatest

    def __str__(self) -> str:
        if self.differences:
            return f"not comparable: {'; '.join(self.differences)}"
        if self.p is None:
            return "no standard errors, so no verdict"
        how = f"p = {self.p:.2g}{', paired' if self.paired else ''}"
        if self.p >= SURE:
            return f"no difference can be told ({how})"
        return f"{self.best} is {'ahead of' if self.directed else 'below'} {self.second} ({how})"


def load_report(path: Path) -> Report:
    """A report written with --json, or the newest one of a run folder.

    Raises:
        InputError: there is none.
    """
    file = path / "scores.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file} does not exist; give a file written with `ganeval evaluate … --json`, or the folder of a scored run")
    try:
        values = json.loads(content(file, most=MOST_JSON))
        return Report.from_dict(next(iter(values["reports"].values())) if "reports" in values else values)
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration, RecursionError) as error:
        why = str(error) if isinstance(error, InputError) else "it is not JSON that ganeval wrote"
        raise InputError(f"{file} cannot be compared: {why}") from None


def verdicts(reports: Mapping[str, Report]) -> list[Verdict]:
    """A verdict on every score that all reports have.

    Raises:
        InputError: fewer than two reports, or no score that all have.
    """
    if len(reports) < 2:
        raise InputError(f"a comparison needs at least two reports, got {len(reports)}")
    first, *others = reports.values()
    shared = [key for key in first.scores if all(key in other.scores for other in others)]
    if not shared:
        listed = "; ".join(f"{name} has {', '.join(report.scores)}" for name, report in reports.items())
        raise InputError(f"the reports have no score in common: {listed}; compute the same metrics for all")
    return [_verdict(key, reports) for key in shared]


def _verdict(key: str, reports: Mapping[str, Report]) -> Verdict:
    scores = {name: report.scores[key] for name, report in reports.items()}
    verdict = Verdict(key=key, scores=scores, differences=tuple(_differences(key, reports)))
    metric = _metric(key, next(iter(reports.values())))
    if verdict.differences:
        return verdict
    better = None if metric is None else metric.better
    sign = -1 if better == "higher" else 1
    order = sorted(scores, key=lambda name: abs(scores[name].value) if better == "near 0" else sign * scores[name].value)
    best, second = order[:2] if metric is not None else (order[0], order[-1])
    paired = _paired(reports[best], reports[second], key)
    p = p_value(scores[best], scores[second], paired=paired)
    return replace(verdict, best=best, second=second, paired=paired, p=p, directed=metric is not None)


def p_value(one: Score, other: Score, *, paired: bool) -> float | None:
    """Two-sided, of the expected scores being equal: Welch's t, or where paired, t of the differences between groups of fakes.

    None where a standard error is missing.
    """
    from scipy.special import stdtr

    if one.error is None or other.error is None:
        return None
    difference = abs(one.value - other.value)
    if paired:
        assert one.deviations is not None
        assert other.deviations is not None
        error = math.dist(one.deviations, other.deviations)
        degrees: float = len(one.deviations) - 1
    else:
        error = math.hypot(one.error, other.error)
        parts = ((score.error or 0.0, score.degrees or math.inf) for score in (one, other))
        spent = sum((own / error) ** 4 / own_degrees for own, own_degrees in parts) if error else 0.0
        degrees = 1 / spent if spent else math.inf  # Welch 1947, eq. 28
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * float(stdtr(min(degrees, 1e12), -difference / error))


def _paired(one: Report, other: Report, key: str) -> bool:
    """Whether the fakes of both are of the same names in the same order, made from the same inputs therefore or independent."""
    names = [report.provenance["fake"].get("names_sha256") for report in (one, other)]
    deviations = [report.scores[key].deviations for report in (one, other)]
    return names[0] is not None and names[0] == names[1] and None not in deviations and len({len(found or ()) for found in deviations}) == 1


def _metric(key: str, report: Report) -> Metric | None:
    about = report.provenance["scores"].get(key)
    return METRICS.get(about["metric"]) if about else None


def _differences(key: str, reports: Mapping[str, Report]) -> list[str]:
    """What moves the number and is not the same in all reports, each with its values."""
    basis = {name: _basis(key, report) for name, report in reports.items()}
    found = []
    for what in next(iter(basis.values())):
        values = {name: one.get(what) for name, one in basis.items()}
        if UNKNOWN in values.values():
            found.append(f"{what} {UNKNOWN}")
        elif len({json.dumps(value) for value in values.values()}) > 1:
            found.append(f"{what} {' against '.join(_shown(value) for value in dict.fromkeys(values.values()))}")
    return found


def _shown(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) < 60 or " " in text else f"{text[:12]}…"


def _basis(key: str, report: Report) -> dict[str, Any]:
    """Everything that the number depends on besides the fakes themselves."""
    provenance, metric = report.provenance, _metric(key, report)
    about = provenance["scores"].get(key)
    if about is None:
        return {"kind of score": "unknown"}
    network = provenance["networks"][about["extractor"]]
    basis = {"extractor": about["extractor"], "weights": network["weights_sha256"], "preprocessing": network["preprocessing"]}
    if metric is None:  # a figure of training, or a path length: what it is of stands in the convention and the reals
        basis["convention"] = report.convention
    for label, entry in (("real", "real"), ("held-out", "held_out")):
        side = provenance[entry]
        if side is not None and (metric is None or label in metric.needs):
            images = side.get("images") or side  # of a file of stats, the images that it was made of
            basis[f"{label} images"] = images.get("pixels_sha256") or side.get("reference_sha256") or UNKNOWN
    if metric is None or metric.biased:
        basis["number of fakes"] = report.num_fake
    return basis | {what: provenance.get(what, UNKNOWN) for what in (() if metric is None else metric.moved_by)}
