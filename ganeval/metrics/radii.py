"""How far the k-th nearest other point is, among all of a set and among the groups that are kept of it."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.metrics.bounds import Bounds, Points

RUN = (8, 32)  # columns and rows of a tile are searched in runs of so many


def radii(points: Points, k: int, *, group: Tensor, kept: Tensor) -> Tensor:
    """Squared distances to the k-th nearest other point among the groups kept: float64 [choices, num].

    Args:
        group: int64 [num], of each point; `kept`: bool [choices, groups], more than k points in each.

    Raises:
        Undecided: as `Bounds`.
    """
    bounds = Bounds(points, points)
    share = (kept.double() @ group.bincount(minlength=kept.shape[1]).double()).min().item() / len(points)
    # Enough for nearly every point: the number kept of these is k or more by some standard deviations.
    number = int(k / share + 3) if share == 1 else int(2 * k / share + 12)
    found, decided = _among(bounds, torch.arange(len(points), device=group.device), *_lowest(bounds, number), k, group, kept)
    while not decided.all():
        number *= 4
        rest = (~decided).nonzero()[:, 0]
        found[:, rest], decided[rest] = _among(bounds, rest, *_lowest_of(bounds, rest, number), k, group, kept)
    return found


def _among(bounds: Bounds, rows: Tensor, below: Tensor, where: Tensor, k: int, group: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """The radii [choices, rows], and whether the lowest bounds [rows, number], at points `where`, reach far enough to tell: [rows]."""
    i = rows[:, None].expand_as(where)
    above = bounds.above(below.double(), i, where)
    chosen = [choice[group[where]] for choice in kept]
    decided = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    unclear = torch.zeros_like(where, dtype=torch.bool)
    for choice in chosen:
        low, high = (_kth(bound, choice, k) for bound in (below.double(), above))
        decided &= high <= below[:, -1]  # those that are not among them are farther
        unclear |= choice & (above >= low[:, None]) & (below <= high[:, None]) & (above > below)
    distances = below.double()
    distances[unclear] = bounds.exact(i[unclear], where[unclear])
    return torch.stack([_kth(distances, choice, k) for choice in chosen]), decided


def _kth(values: Tensor, chosen: Tensor, k: int) -> Tensor:
    """The k-th smallest of those chosen in each row, ∞ where there are fewer."""
    least: Tensor = values.masked_fill(~chosen, torch.inf).kthvalue(k, dim=1).values
    return least


def _lowest(bounds: Bounds, number: int) -> tuple[Tensor, Tensor]:
    """The lowest of the bounds between each point and the others, ascending, and their positions: [num, number] each, less in a small set.

    A point itself comes last, at ∞. Each distance is computed once, and counts for both of its points.
    """
    size = len(bounds.x)
    number = min(number, size)
    device = bounds.x.rough.device
    below = torch.full((size, number), torch.inf, dtype=bounds.x.rough.dtype, device=device)
    where = torch.zeros(size, number, dtype=torch.int64, device=device)

    def merge(points: slice, bound: Tensor, start: int, dim: int) -> None:
        some, positions = (found.movedim(dim, 1) for found in _smallest(bound, number, dim=dim))
        together = torch.cat([below[points], some], dim=1)
        below[points], order = together.topk(number, largest=False)
        where[points] = torch.cat([where[points], positions + start], dim=1).gather(1, order)

    for rows in bounds.tiles():
        tile = bounds.below(rows, slice(rows.start, size))
        tile.fill_diagonal_(torch.inf)
        merge(rows, tile, rows.start, dim=1)
        if rows.stop < size:
            merge(slice(rows.stop, size), tile[:, rows.stop - rows.start :], rows.start, dim=0)
    return below, where


def _smallest(values: Tensor, number: int, *, dim: int) -> tuple[Tensor, Tensor]:
    """As `topk`, unsorted, of at most that number: the smallest are in the runs of the smallest minima, and minima are fast."""
    length = values.shape[dim]
    runs = length // RUN[dim]
    if runs <= 2 * number:
        return torch.topk(values, min(number, length), dim=dim, largest=False)
    minima = values.narrow(dim, 0, runs * RUN[dim]).unflatten(dim, (runs, RUN[dim])).amin(dim=dim + 1)
    first = minima.topk(number, dim=dim, largest=False, sorted=False).indices * RUN[dim]  # of each run
    step = torch.arange(RUN[dim], device=values.device)
    inside = (first.movedim(dim, 1)[:, :, None] + step).flatten(1)
    rest = torch.arange(runs * RUN[dim], length, device=values.device).expand(len(inside), -1)
    positions = torch.cat([inside, rest], dim=1).movedim(1, dim)
    some, which = values.gather(dim, positions).topk(number, dim=dim, largest=False)
    return some, positions.gather(dim, which)


def _lowest_of(bounds: Bounds, rows: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The same for some of the points."""
    number = min(number, len(bounds.x))
    below, where = [], []
    for some in rows.split(bounds.tile):
        tile = bounds.below(some, slice(None))
        tile[torch.arange(len(some), device=some.device), some] = torch.inf
        values, positions = tile.topk(number, largest=False)
        below.append(values)
        where.append(positions)
    return torch.cat(below), torch.cat(where)
