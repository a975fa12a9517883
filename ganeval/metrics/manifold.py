"""Precision, recall, density and coverage: whose neighborhoods hold whom.

Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models", eq. 1 and 2;
Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", eq. 1 to 5.
"""

from __future__ import annotations

import contextlib
import math
from typing import NamedTuple

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.bounds import Bounds, Points, Undecided
from ganeval.metrics.distances import finite
from ganeval.metrics.radii import radii
from ganeval.metrics.uncertainty import KEPT_OF_ROUGH, NUM_GROUPS, groups, one_left_out, scored_by_jackknife, scored_mean, third_left_out
from ganeval.report import Score


class Neighborhood(NamedTuple):
    """A ball around each point that reaches to its k-th nearest neighbor in its own set, with its surface or without."""

    k: int
    closed: bool


KYNKAANNIEMI = Neighborhood(k=3, closed=True)
NAEEM = Neighborhood(k=5, closed=False)  # of the package prdc


class Manifold(NamedTuple):
    """All four of one definition of a neighborhood, each with its standard error."""

    precision: Score  # share of fakes in the neighborhood of some real
    recall: Score  # share of reals in the neighborhood of some fake
    density: Score  # neighborhoods of reals that a fake is in, over k: mean over fakes, may exceed 1
    coverage: Score  # share of reals with a fake in their neighborhood


def manifold(real: Tensor, fake: Tensor, neighborhood: Neighborhood = NAEEM, *, spread: bool = True) -> Manifold:
    """Precision, recall, density and coverage from one pass over the distances, each with its standard error if `spread`.

    The error of coverage is too large near 1, up to twice at 0.99: hardly a real hangs on a single fake then, as the jackknife has it.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim] on one device. Counts are those of distances in float64 (see
            `Bounds`), in blocks of rows: memory is O((num_real + num_fake) · dim).

    Raises:
        InputError: no more images on a side than k, or features that are all equal on one side, NaN or infinite.
    """
    k = neighborhood.k
    for label, side in (("real", real), ("fake", fake)):
        if len(side) <= k:
            raise InputError(f"neighborhoods that reach to neighbor {k} need more than {k} images on each side, got {len(side)} {label}")
    x, y = finite(real, fake)
    for label, side in (("real", x), ("fake", y)):
        if (side == side[0]).all():
            raise InputError(f"all {len(side)} {label} images have the same features, so they have no neighborhoods; check the images")
    group = groups(len(y)).to(y.device)
    # Coverage changes smoothly with the fakes. Recall does not: without its neighbor the neighborhood of a fake jumps.
    smooth, rough = one_left_out(len(y)), third_left_out(len(y))
    if not spread or len(y) < NUM_GROUPS:
        smooth, rough = smooth[:0], rough[:0]
    elif (fewest := int((rough.double() @ group.bincount().cpu().double()).min())) <= k:
        raise InputError(
            f"the error of recall comes from neighborhoods among {KEPT_OF_ROUGH:.0%} of the fakes, which of {len(y)} are {fewest}; "
            f"those reach to neighbor {k} if there are more than {k}: add fakes, or choose a smaller k"
        )
    counted = _counted(x, y, neighborhood, group=group, smooth=smooth, rough=rough)

    def share_of_reals(counts: Tensor, kept: Tensor) -> Score:
        shares = counts / len(x)
        value = shares[-1].item()
        return scored_by_jackknife(value, shares[:-1], kept) if len(kept) > 0 else Score(value)

    def of_fakes(values: Tensor) -> Score:
        score = scored_mean(values)
        return score if spread else Score(score.value)

    return Manifold(
        precision=of_fakes((counted.held > 0).double()),
        recall=share_of_reals(counted.recalled, rough),
        density=of_fakes(counted.held / k),
        coverage=share_of_reals(counted.covered, smooth),
    )


class _Counted(NamedTuple):
    """Who is in whose neighborhood; of choices of groups of fakes, the last of which is all."""

    held: Tensor  # float64 [num_fake]: reals whose neighborhood it is in
    recalled: Tensor  # float64 [choices]: reals in the neighborhood of a fake
    covered: Tensor  # float64 [choices]: reals with a fake in their neighborhood


def _counted(x: Tensor, y: Tensor, neighborhood: Neighborhood, *, group: Tensor, smooth: Tensor, rough: Tensor) -> _Counted:
    """By products in float32 on the processor, in float64 where that decides too little.

    A graphics processor may have been told to round float32 further, and those that people compute on have float64.
    """
    everyone = torch.ones(1, smooth.shape[1], dtype=torch.bool)
    smooth, rough = (torch.cat([choices, everyone]).to(y.device) for choices in (smooth, rough))
    if x.device.type == "cpu" and torch.get_float32_matmul_precision() == "highest":
        with contextlib.suppress(Undecided):
            return _counted_in(torch.float32, x, y, neighborhood, group=group, smooth=smooth, rough=rough)
    return _counted_in(torch.float64, x, y, neighborhood, group=group, smooth=smooth, rough=rough)


def _counted_in(
    dtype: torch.dtype, x: Tensor, y: Tensor, neighborhood: Neighborhood, *, group: Tensor, smooth: Tensor, rough: Tensor
) -> _Counted:
    k, closed = neighborhood
    largest = torch.stack([*x.aminmax(), *y.aminmax()]).abs().max().item()
    scale = 0.5 ** max(math.frexp(largest)[1], -126)  # a number in float32 too
    fakes = Points(y, scale=scale, dtype=dtype)
    # [choices, num_fake]; a fake that is left out covers nothing.
    fake_radii = radii(fakes, k, group=group, kept=rough).masked_fill(~rough[:, group], -torch.inf)
    del fakes
    reals = Points(x, scale=scale, dtype=dtype)
    everyone = torch.ones(1, 1, dtype=torch.bool, device=x.device)
    real_radii = radii(reals, k, group=torch.zeros(len(x), dtype=torch.int64, device=x.device), kept=everyone)[0]
    bounds = Bounds(reals, Points(y, scale=scale, dtype=dtype, center=reals.center))

    def within(distances: Tensor, reach: Tensor) -> Tensor:
        return distances <= reach if closed else distances < reach

    held = torch.zeros(len(y), dtype=torch.float64, device=y.device)
    recalled = torch.zeros(len(rough), dtype=torch.float64, device=y.device)
    covered = torch.zeros(len(smooth), dtype=torch.float64, device=y.device)
    farthest = fake_radii.amax(dim=0)
    for rows in bounds.tiles():
        tile = bounds.below(rows, slice(None))
        # Rounding keeps order: what is at most a radius is at most that radius in the tile's dtype.
        near = tile <= torch.maximum(real_radii[rows, None].to(dtype), farthest.to(dtype))
        row, j = near.nonzero(as_tuple=True)
        i = row + rows.start
        distances = tile[row, j].double()
        above = bounds.above(distances, i, j)
        unclear = torch.zeros_like(j, dtype=torch.bool)
        for reach in (real_radii[i], *(choice[j] for choice in fake_radii)):
            unclear |= (distances <= reach) & (reach <= above)
        unclear &= above > distances
        distances[unclear] = bounds.exact(i[unclear], j[unclear])
        inside = within(distances, real_radii[i])
        held += j[inside].bincount(minlength=len(y))
        by_group = torch.zeros(len(tile), smooth.shape[1], dtype=torch.float64, device=y.device)
        by_group[row[inside], group[j[inside]]] = 1
        covered += (by_group @ smooth.double().T > 0).sum(dim=0)
        for number, choice in enumerate(fake_radii):
            found = torch.zeros(len(tile), dtype=torch.bool, device=y.device)
            found[row[within(distances, choice[j])]] = True
            recalled[number] += found.sum()
    return _Counted(held, recalled, covered)
