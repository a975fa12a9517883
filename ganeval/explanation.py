"""Explanation: which images make a Fréchet distance what it is, what the fakes leave out, and which of them look like copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganeval.comparison import Comparison
from ganeval.errors import InputError
from ganeval.extract import measure
from ganeval.images import ImageSource, Seen
from ganeval.measured import Measured
from ganeval.metrics import Label
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.frechet_influence import frechet_influences
from ganeval.metrics.neighbors import Neighbors, neighbors
from ganeval.metrics.per_class import members
from ganeval.progress import Progress, silent
from ganeval.reference import Reference
from ganeval.stats import FeatureStats

K = 5  # a real is covered if a fake is nearer than its fifth nearest real (Naeem et al. 2020)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfClass:
    """One class of the fakes, and the reals of the same name."""

    name: str
    num_real: int
    num_fake: int
    mean_influence: float  # above 0: its fakes raise the distance more than others
    distance: float | None  # within the class; None with fewer than two images on a side
    uncovered: float | None  # share of its reals that no fake covers; None without reals


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Images of two sets by what they do to a Fréchet distance and by how near they are to others; positions are those of the features."""

    influences: Tensor  # float64 [num_fake], first order: the distance without image i is about `distance` − influence / (num_fake − 1)
    neighbors: Neighbors

    def worst(self, number: int) -> list[int]:
        """Fakes that raise the distance most, the worst first."""
        return self.influences.argsort(descending=True)[:number].tolist()

    def best(self, number: int) -> list[int]:
        """Fakes that lower the distance most, the best first."""
        return self.influences.argsort()[:number].tolist()

    def suspicious(self, number: int) -> list[int]:
        """Fakes nearest to a real, for how near that real's own neighbor is; the nearest first."""
        return self.neighbors.closeness.argsort(stable=True)[:number].tolist()

    def uncovered(self, number: int) -> list[int]:
        """Reals that no fake covers, the farthest from any first, and one of each region: no two are among the other's K nearest."""
        near = self.neighbors
        shown: list[int] = []
        for position in near.gap.argsort(descending=True, stable=True).tolist():
            if near.gap[position] <= 1 or len(shown) == number:
                break
            own = set(near.nearest_own[position].tolist())
            if not any(other in own or position in near.nearest_own[other] for other in shown):
                shown.append(position)
        return shown


@dataclass(frozen=True, kw_only=True)
class Explanation(Ranking):
    """Of one Fréchet distance between `real` and `fake`; positions are in the order of the sources."""

    key: str  # of the score: fid, fd_tiny …
    distance: float
    mean_part: float  # |μ₁ − μ₂|², what is off on average
    covariance_part: float  # the rest: what is off in spread and in how features go together
    names: dict[Label, list[str]]
    sources: dict[Label, ImageSource]
    num_skipped: dict[Label, int]  # bad images that were left out
    classes: tuple[OfClass, ...]  # empty where the fakes have no classes


def ranking(real: FeatureStats, fake: FeatureStats, x: Tensor, y: Tensor) -> Ranking:
    """Of stats of both sides, and features of reals and fakes: of all of them, or of some.

    Raises:
        InputError: fewer than K + 1 reals.
    """
    return Ranking(influences=frechet_influences(real, fake, y), neighbors=neighbors(x, y, k=K))


def explain(
    real: Any, fake: Any, *, batch_size: int = 32, skip_bad: bool = False, progress: Progress = silent, **options: Any
) -> Explanation:
    """Look inside the Fréchet distance of `fake` from `real`; options as for `Evaluator`.

    Raises:
        InputError: as `Evaluator`; stats in place of images, or fewer than K + 1 reals.
    """
    comparison = Comparison(metrics=("fid",), batch_size=batch_size, progress=progress, **options)
    sources: dict[Label, ImageSource] = {"fake": _images(comparison, "fake", fake), "real": _images(comparison, "real", real)}
    comparison.load()
    ((name, extractor),) = comparison.extractors.items()
    measured: dict[str, Measured] = {}
    names: dict[Label, list[str]] = {}
    num_skipped: dict[Label, int] = {}
    for label, source in sources.items():
        found, seen = measure(
            source,
            {name: extractor},
            needs={name: {"features"}},
            device=comparison.device,
            batch_size=batch_size,
            skip_bad=skip_bad,
            progress=progress,
            label=label,
            seen=Seen(recent=None),
        )
        measured[label], names[label] = found[name], [seen.name_of(position) for position in range(seen.count)]
        num_skipped[label] = len(seen.skipped)
    x, y = (_features(measured[label]) for label in ("real", "fake"))
    of_real, of_fake = FeatureStats.of(x), FeatureStats.of(y)
    distance, mean_part = frechet_distance(of_real, of_fake), (of_real.mean - of_fake.mean).square().sum().item()
    ranked = ranking(of_real, of_fake, x, y)
    influences, near = ranked.influences, ranked.neighbors
    return Explanation(
        key=comparison.plan.scores[0].key,
        distance=distance,
        mean_part=mean_part,
        covariance_part=distance - mean_part,
        influences=influences,
        neighbors=near,
        names=names,
        sources=sources,
        num_skipped=num_skipped,
        classes=tuple(_classes(measured["real"].classes, measured["fake"].classes, x, y, influences, near.gap)),
    )


def _images(comparison: Comparison, label: Label, source: Any) -> ImageSource:
    found = comparison.open(label, source)
    if found is None or isinstance(found, Reference):
        raise InputError(f"{found.where if found else label} holds stats, but an explanation needs the images themselves")
    return found


def _features(measured: Measured) -> Tensor:
    assert measured.features is not None
    return measured.features.clone()  # made in inference mode: a copy may be used anywhere


def _classes(
    of_real: Sequence[str] | None, of_fake: Sequence[str] | None, x: Tensor, y: Tensor, influences: Tensor, gap: Tensor
) -> list[OfClass]:
    reals = members(of_real or ())
    none = torch.zeros(0, dtype=torch.int64)
    found = []
    for name, fakes in members(of_fake or ()).items():
        same = reals.get(name, none)
        enough = min(len(same), len(fakes)) > 1
        found.append(
            OfClass(
                name=name,
                num_real=len(same),
                num_fake=len(fakes),
                mean_influence=influences[fakes].mean().item(),
                distance=frechet_distance(FeatureStats.of(x[same]), FeatureStats.of(y[fakes])) if enough else None,
                uncovered=(gap[same] > 1).double().mean().item() if len(same) else None,
            )
        )
    return sorted(found, key=lambda one: one.mean_influence, reverse=True)
