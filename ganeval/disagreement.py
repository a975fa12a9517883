"""How far apart the tools are on one's own pictures: every convention over one decode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ganeval.comparison import Comparison
from ganeval.conventions import CONVENTIONS, DEFAULT, Convention
from ganeval.errors import InputError
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.images import ImageSource
from ganeval.measured import Need
from ganeval.metrics import Label
from ganeval.metrics.frechet import frechet_distance
from ganeval.parts import measured_together
from ganeval.progress import Progress, silent
from ganeval.reference import Reference
from ganeval.report import Report, Score
from ganeval.side import Side
from ganeval.stats import FeatureStats
from ganeval.team import Team

POPULATION = "ttur, covariance / N"  # what StyleGAN2 and 3 compute: the convention but for the divisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """What each convention makes of the same pictures."""

    reports: Mapping[str, Report]  # by convention
    population: Score  # FID by `POPULATION`

    @property
    def fids(self) -> dict[str, Score]:
        """By convention, the largest family of tools first."""
        found = {name: report.scores["fid"] for name, report in self.reports.items() if "fid" in report.scores}
        return {DEFAULT: found.pop(DEFAULT), POPULATION: self.population, **found}

    def nearest(self, published: float) -> list[tuple[str, float]]:
        """(convention, its FID less the published one), the nearest first: the tool that a paper's number probably comes from."""
        return sorted(((name, score.value - published) for name, score in self.fids.items()), key=lambda pair: abs(pair[1]))


def disagreement(
    real: Any,
    fake: Any,
    *,
    batch_size: int = 32,
    skip_bad: bool = False,
    progress: Progress = silent,
    team: Team | None = None,
    **options: Any,
) -> Disagreement:
    """FID and Inception Score by every convention that defines them, each image decoded once; options as for `Evaluator`.

    Raises:
        InputError: as `Evaluator`; or stats, which are of one convention, in place of images.
    """
    comparisons = {
        name: Comparison(metrics=convention.defines, convention=name, batch_size=batch_size, progress=progress, team=team, **options)
        for name, convention in CONVENTIONS.items()
    }
    sources: dict[Label, ImageSource] = {"fake": _images(comparisons, "fake", fake), "real": _images(comparisons, "real", real)}
    by_preprocessing: dict[str, FeatureExtractor] = {}
    for name, comparison in comparisons.items():
        comparison.load()
        (loaded,) = comparison.extractors.values()
        by_preprocessing.setdefault(_fed(CONVENTIONS[name], loaded), loaded)

    sides: dict[str, dict[Label, Side]] = {name: {} for name in comparisons}
    for label, source in sources.items():
        needs: dict[str, set[Need]] = {fed: set() for fed in by_preprocessing}
        for name, comparison in comparisons.items():
            for network, wanted in comparison.plan.needs(label, comparison.settings).items():
                needs[_fed(CONVENTIONS[name], comparison.extractors[network])] |= wanted
        measured, seen = measured_together(
            team or Team(),
            source,
            by_preprocessing,
            needs=needs,
            device=next(iter(comparisons.values())).device,
            batch_size=batch_size,
            skip_bad=skip_bad,
            progress=progress,
            label=label,
        )
        for name, comparison in comparisons.items():
            ((network, loaded),) = comparison.extractors.items()
            of_network = {network: measured[_fed(CONVENTIONS[name], loaded)]}
            sides[name][label] = Side.of_images(label, of_network, source, seen, comparison.plan)
    reports = {name: comparison.report(sides[name]) for name, comparison in comparisons.items()}
    of_default = [next(iter(sides[DEFAULT][label].measured.values())).stats for label in ("real", "fake")]
    return Disagreement(reports=reports, population=Score(frechet_distance(*(_population(stats) for stats in of_default))))


def _images(comparisons: Mapping[str, Comparison], label: Label, source: Any) -> ImageSource:
    found = next(opened for comparison in comparisons.values() if (opened := comparison.open(label, source)) is not None)
    if isinstance(found, Reference):
        raise InputError(f"{found.where} holds stats, which are of one convention; all of them need the images themselves")
    return found


def _fed(convention: Convention, extractor: FeatureExtractor) -> str:
    """What features and logits depend on besides the weights."""
    return f"{identity_of(extractor).preprocessing}, logits {'with' if convention.logits_bias else 'without'} bias"


def _population(stats: FeatureStats | None) -> FeatureStats:
    assert stats is not None
    assert stats.count is not None
    return replace(stats, count=None, scatter=stats.scatter / stats.count)
