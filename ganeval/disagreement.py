"""How far apart the tools are on one's own pictures: every convention over one decode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ganeval.comparison import Comparison, Keep, kept_by
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


class Row(NamedTuple):
    """One convention in words; "" where it does not define the score."""

    name: str
    fid: str
    difference: str  # of its FID from that of the convention `DEFAULT`
    inception_score: str
    tools: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """What each convention makes of the same pictures."""

    reports: Mapping[str, Report]  # by convention
    population: Score  # FID by `POPULATION`
    sides: Mapping[Label, Side]  # as the convention `DEFAULT` measured them

    @property
    def fids(self) -> dict[str, Score]:
        """By convention, the largest family of tools first."""
        found = {name: report.scores["fid"] for name, report in self.reports.items() if "fid" in report.scores}
        return {DEFAULT: found.pop(DEFAULT), POPULATION: self.population, **found}

    def rows(self) -> Iterator[Row]:
        """For people: one a convention, those with an FID first."""
        own = self.fids[DEFAULT].value
        for name in [*self.fids, *(name for name in self.reports if name not in self.fids)]:
            fid, report = self.fids.get(name), self.reports.get(name)
            score = None if report is None else report.scores.get("is")
            yield Row(
                name=name,
                fid="" if fid is None else f"{fid.value:.5g}" + ("" if fid.error is None else f" ± {fid.error:.2g}"),
                difference="" if fid is None else f"{fid.value - own:+.4f}",
                inception_score="" if score is None else f"{score.value:.4g} ± {score.spread or 0:.2g}",
                tools="StyleGAN2, StyleGAN3" if name == POPULATION else CONVENTIONS[name].equals,
            )

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
    keep_features: Keep = False,
    **options: Any,
) -> Disagreement:
    """FID and Inception Score by every convention that defines them, each image decoded once; options as for `Evaluator`.

    `keep_features` is about what the convention `DEFAULT` sees.

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
                kept = kept_by(keep_features) if name == DEFAULT else set()
                needs[_fed(CONVENTIONS[name], comparison.extractors[network])] |= wanted | kept
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
            keep = name == DEFAULT and bool(keep_features)
            sides[name][label] = Side.of_images(label, of_network, source, seen, comparison.plan, keep=keep)
    reports = {name: comparison.report(sides[name]) for name, comparison in comparisons.items()}
    of_default = [next(iter(sides[DEFAULT][label].measured.values())).stats for label in ("real", "fake")]
    population = Score(frechet_distance(*(_population(stats) for stats in of_default)))
    return Disagreement(reports=reports, population=population, sides=sides[DEFAULT])


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
