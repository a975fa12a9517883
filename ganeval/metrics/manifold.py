"""Precision, recall, density and coverage: whose neighborhoods hold whom.

Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models", eq. 1 and 2;
Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", eq. 1 to 5.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, centered, squared_distances
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


def manifold(real: Tensor, fake: Tensor, neighborhood: Neighborhood = NAEEM) -> Manifold:
    """Precision, recall, density and coverage, each with its standard error, from one pass over the distances.

    The error of coverage is too large near 1, up to twice at 0.99: hardly a real hangs on a single fake then, as the jackknife has it.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim] on one device. A computation in float64, in blocks of rows:
            memory is O((num_real + num_fake) · dim).

    Raises:
        InputError: no more images on a side than k, or features that are all equal on one side, NaN or infinite.
    """
    k, closed = neighborhood
    for label, side in (("real", real), ("fake", fake)):
        if len(side) <= k:
            raise InputError(f"neighborhoods that reach to neighbor {k} need more than {k} images on each side, got {len(side)} {label}")
    x, y = centered(real, fake)
    for label, side in (("real", x), ("fake", y)):
        if (side == side[0]).all():
            raise InputError(f"all {len(side)} {label} images have the same features, so they have no neighborhoods; check the images")
    # The groups of the jackknife one after the other: each is a run of columns.
    group = groups(len(y)).to(y.device)
    order = group.argsort(stable=True)
    y, group = y[order], group[order]
    sizes: list[int] = group.bincount().tolist()
    real_radii = _nearest(x, [len(x)], k)[:, 0, -1]  # [num_real]
    of_fake = _nearest(y, sizes, k)  # [num_fake, groups, k]

    # Coverage changes smoothly with the fakes. Recall does not: without its neighbor the neighborhood of a fake jumps.
    everyone = torch.ones(1, len(sizes), dtype=torch.bool)
    smooth = torch.cat([one_left_out(len(y)), everyone]).to(y.device)
    rough = torch.cat([third_left_out(len(y)), everyone]).to(y.device)
    if len(y) >= NUM_GROUPS and (fewest := int((rough.double() @ group.bincount().double()).min())) <= k:
        raise InputError(
            f"the error of recall comes from neighborhoods among {KEPT_OF_ROUGH:.0%} of the fakes, which of {len(y)} are {fewest}; "
            f"those reach to neighbor {k} if there are more than {k}: add fakes, or choose a smaller k"
        )
    # [choices, num_fake]; a fake that is left out covers nothing.
    fake_radii = torch.stack([_radii(of_fake, kept).masked_fill(~kept[group], -1.0) for kept in rough])

    def within(distances: Tensor, radii: Tensor) -> Tensor:
        return distances <= radii if closed else distances < radii

    held = torch.zeros(len(y), dtype=torch.float64, device=y.device)  # reals whose neighborhood a fake is in
    recalled = torch.zeros(len(rough), dtype=torch.float64, device=y.device)
    covered = torch.zeros(len(smooth), dtype=torch.float64, device=y.device)
    for rows, block in blocks(x, len(y)):
        distances = squared_distances(block, y)
        inside = within(distances, real_radii[rows, None])
        held += inside.sum(dim=0)
        by_group = torch.stack([part.any(dim=1) for part in inside.split(sizes, dim=1)], dim=1)  # [rows, groups]
        covered += (by_group.double() @ smooth.double().T > 0).sum(dim=0)
        recalled += torch.stack([within(distances, radii).any(dim=1).sum() for radii in fake_radii])

    def share_of_reals(counts: Tensor, kept: Tensor) -> Score:
        shares = counts / len(x)
        return scored_by_jackknife(shares[-1].item(), shares[:-1], kept[:-1])

    held = held[order.argsort()]
    return Manifold(
        precision=scored_mean((held > 0).double()),
        recall=share_of_reals(recalled, rough),
        density=scored_mean(held / k),
        coverage=share_of_reals(covered, smooth),
    )


def _nearest(points: Tensor, sizes: list[int], k: int) -> Tensor:
    """Squared distances to the k nearest other points in each run of columns, ascending: [num, runs, k]; ∞ where there are fewer."""
    found = torch.full((len(points), len(sizes), k), torch.inf, dtype=points.dtype, device=points.device)
    for rows, block in blocks(points, len(points)):
        distances = squared_distances(block, points)
        distances[:, rows].fill_diagonal_(torch.inf)
        for run, columns in enumerate(distances.split(sizes, dim=1)):
            some = min(k, columns.shape[1])
            found[rows, run, :some] = columns.topk(some, largest=False).values
    return found


def _radii(nearest: Tensor, kept: Tensor) -> Tensor:
    """Squared distance to the k-th nearest among the kept groups, from the k nearest in each: [num]; ∞ where they have fewer."""
    radii: Tensor = nearest[:, kept].flatten(1).kthvalue(nearest.shape[2]).values
    return radii
