"""Memorization-informed FID (Bai et al. 2021, "On Training Sample Memorization", sec. 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, checked, directions
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.frechet_error import frechet_distances, tables
from ganeval.metrics.uncertainty import groups, scored_by_jackknife
from ganeval.report import Score
from ganeval.stats import FeatureStats

ROUNDING = 1e-12  # of a cosine
THRESHOLD = 0.1  # of the authors' contest, for Inception features


def mifid(real: Tensor, fake: Tensor, *, threshold: float = THRESHOLD) -> Score:
    """The Fréchet distance over m, where m is the mean over fakes of the cosine distance 1 − |cos| to the nearest real.

    Divided only where m is below the threshold: fakes no nearer to the reals than that are no copies, and their score is the distance
    itself. In this direction, each fake to its nearest real, as the authors' code has it; a tool that swaps the sides finds something else.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim]; the reals are the training pictures.

    Raises:
        InputError: fewer than two images on a side, a vector of zeros, or features that are not finite.
    """
    if min(len(real), len(fake)) < 2:
        raise InputError(f"MiFID needs at least 2 images on each side, got {len(real)} real and {len(fake)} fake; add images")
    x, y = checked(real, fake)
    stats = FeatureStats.of(x)
    distances = memorization_distances(x, y)
    value = _penalized(frechet_distance(stats, FeatureStats.of(y)), distances.mean().item(), threshold)
    if distances.mean() < ROUNDING:  # copies of reals: the divisor, and so what is left of it without some, is rounding
        return Score(value)
    kept, pairs = tables(len(y), y.shape[1])
    chosen = torch.cat([kept, pairs])[:, groups(len(y))].to(y.device)
    means = (chosen.double() @ distances) / chosen.sum(dim=1)
    frechet = frechet_distances(stats, y, chosen)
    without = [_penalized(distance, mean, threshold) for distance, mean in zip(frechet.tolist(), means.tolist(), strict=True)]
    some = torch.tensor(without, dtype=torch.float64)
    return scored_by_jackknife(value, some[: len(kept)], kept, of_pairs=some[len(kept) :])


def memorization_distances(real: Tensor, fake: Tensor) -> Tensor:
    """1 − |cos| of each fake to its nearest real: float64 [num_fake]; 0 for a copy.

    Raises:
        InputError: no images on a side, or a vector of zeros, which has no direction.
    """
    if min(len(real), len(fake)) < 1:
        raise InputError(f"a nearest real needs reals and fakes, got {len(real)} and {len(fake)}; add images")
    x, y = (directions(side) for side in checked(real, fake))
    nearest = [(rows @ x.T).abs().amax(dim=1) for _, rows in blocks(y, len(x))]
    return (1 - torch.cat(nearest)).clamp(min=0)


def _penalized(distance: float, memorization: float, threshold: float) -> float:
    # The authors add 1e-15 to the divisor, against copies of every real.
    return distance / ((memorization if memorization < threshold else 1.0) + 1e-15)
