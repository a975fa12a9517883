"""METRICS: the one table of metrics. Each is a pure function of stats or logits, in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ganeval.conventions import Convention
from ganeval.measured import Measured
from ganeval.metrics.frechet import Method, frechet_distance
from ganeval.metrics.inception_score import inception_score
from ganeval.report import Score
from ganeval.stats import FeatureStats


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user may choose for a metric."""

    convention: Convention
    seed: int = 2020  # torch-fidelity's default, behind the published values
    num_splits: int | None = None  # of the Inception Score; None is the convention's
    method: Method = "symmetric"  # of the Fréchet distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A row of METRICS."""

    title: str  # with the Inception network
    other_key: str  # with network X the score is called `<other_key>_X`
    other_title: str
    better: Literal["lower", "higher"]
    needs: Literal["stats", "logits"]
    needs_real: bool
    score: Callable[[Measured | None, Measured, Settings], Score]
    source: str


def _fid(real: Measured | None, fake: Measured, settings: Settings) -> Score:
    assert real is not None
    return Score(frechet_distance(_stats(real), _stats(fake), method=settings.method))


def _stats(measured: Measured) -> FeatureStats:
    assert measured.stats is not None  # `needs` below asked for them
    return measured.stats


def _inception_score(real: Measured | None, fake: Measured, settings: Settings) -> Score:
    assert fake.logits is not None
    convention = settings.convention
    return inception_score(
        fake.logits,
        num_splits=settings.num_splits or convention.is_num_splits,
        order=convention.is_order,
        seed=settings.seed,
        split=convention.is_split,
        ddof=convention.is_spread_ddof,
    )


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "fid": Metric(
            title="Fréchet Inception Distance",
            other_key="fd",
            other_title="Fréchet distance",
            better="lower",
            needs="stats",
            needs_real=True,
            score=_fid,
            source="Heusel et al. 2017",
        ),
        "is": Metric(
            title="Inception Score",
            other_key="is",
            other_title="class score",
            better="higher",
            needs="logits",
            needs_real=False,
            score=_inception_score,
            source="Salimans et al. 2016",
        ),
    }
)


def score_key(metric: str, extractor: str) -> str:
    """The key of a score: `fid` and `is` mean Inception and nothing else."""
    return metric if extractor == "inception" else f"{METRICS[metric].other_key}_{extractor.replace('-', '_')}"
