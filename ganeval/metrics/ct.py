"""C_T, the three-sample test for data copying (Meehan, Chaudhuri and Dasgupta 2020, sec. 3)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, checked, squared_distances
from ganeval.metrics.uncertainty import groups, one_left_out, scored_by_jackknife
from ganeval.report import Score

NUM_COMPONENTS = 64  # principal components of the training features that distances are taken in; dgm-eval's
NUM_CELLS = 3  # dgm-eval's
FEWEST = 20  # fakes in a cell, below which the cell has no say; dgm-eval's


def ct(train: Tensor, held_out: Tensor, fake: Tensor, *, seed: int = 2020) -> Score:
    """Whether fakes are nearer to the training pictures than held-out pictures are: a mean z-value, below −3 means copying.

    In each cell of a partition of feature space, the Mann-Whitney statistic of the distances to the nearest training picture, as z;
    then the mean over cells, weighted by the share of held-out pictures in them. Above 0 the fakes are farther: underfitting.

    Args:
        train, held_out, fake: float features [num, dim] of each.
        seed: of k-means.

    Raises:
        InputError: fewer than 64 training pictures, no cell with more than 20 fakes and held-out pictures to compare with,
            training features of which no three differ, or features that are not finite.
    """
    from scipy.cluster.vq import kmeans2  # late: scipy.stats takes as long to import as all else here

    if len(train) < NUM_COMPONENTS:
        raise InputError(f"C_T needs at least {NUM_COMPONENTS} training pictures, got {len(train)}; add images")
    if min(len(held_out), len(fake)) < 1:
        raise InputError(f"C_T needs held-out pictures and fakes, got {len(held_out)} and {len(fake)}; add images")
    x, h, y = checked(train, held_out, fake)
    if (distinct := _distinct(x, NUM_CELLS)) < NUM_CELLS:
        raise InputError(
            f"all {len(x)} training pictures have the same features{'' if distinct == 1 else ' as one of two of them'}, "
            f"so they have no {NUM_CELLS} cells; check the images"
        )
    mean = x.mean(dim=0)
    _, _, axes = torch.linalg.svd(x - mean, full_matrices=False)
    x, h, y = ((side - mean) @ axes[:NUM_COMPONENTS].T for side in (x, h, y))
    centers, _ = kmeans2(x.cpu().numpy(), NUM_CELLS, minit="++", seed=np.random.default_rng(seed))
    cells = [_nearest(side, torch.from_numpy(centers).to(side.device))[1].cpu() for side in (x, h, y)]
    of_held_out, of_fakes = (_within_cells(side, cell, x, cells[0]) for side, cell in ((h, cells[1]), (y, cells[2])))

    # Decided once, for all fakes: the jackknife asks how the cells that have a say would move.
    heard = [cell for cell in range(NUM_CELLS) if (cells[2] == cell).sum() > FEWEST and all((of == cell).any() for of in cells[:2])]
    if not heard:
        raise InputError(
            f"C_T needs more than {FEWEST} fakes beside held-out pictures in one of {NUM_CELLS} cells at least; "
            f"got {len(fake)} fakes and {len(held_out)} held-out pictures: add images"
        )

    def statistic(kept: Tensor) -> float:
        pairs = [(of_fakes[(cells[2] == cell) & kept], of_held_out[cells[1] == cell]) for cell in heard]
        return sum(len(b) * _z(a, b) for a, b in pairs) / sum(len(b) for _, b in pairs)

    value = statistic(torch.ones(len(y), dtype=torch.bool))
    kept = one_left_out(len(y))
    without = torch.tensor([statistic(row) for row in kept[:, groups(len(y))]], dtype=torch.float64)
    return scored_by_jackknife(value, without, kept)


def _distinct(points: Tensor, enough: int) -> int:
    """How many points there are that differ, or `enough` if there are more."""
    number, left = 0, points
    while len(left) > 0 and number < enough:
        number, left = number + 1, left[(left != left[0]).any(dim=1)]
    return number


def _z(a: Tensor, b: Tensor) -> float:
    """z-value of Mann-Whitney's U: negative where `a` are smaller."""
    from scipy.stats import rankdata

    m, n = len(a), len(b)
    u = rankdata(torch.cat([a, b]).numpy())[:m].sum() - m * (m + 1) / 2
    return float((u - m * n / 2) / math.sqrt(m * n * (m + n + 1) / 12))


def _within_cells(points: Tensor, cell: Tensor, train: Tensor, train_cell: Tensor) -> Tensor:
    """Squared distance of each point to the nearest training picture of its own cell: [num], ∞ where the cell has none."""
    found = torch.full((len(points),), torch.inf, dtype=points.dtype)
    for number in range(NUM_CELLS):
        mine, theirs = cell == number, train_cell == number
        if mine.any() and theirs.any():
            found[mine] = _nearest(points[mine.to(points.device)], train[theirs.to(train.device)])[0].cpu()
    return found


def _nearest(points: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """(squared distance, position) of the nearest of the others, each [num]."""
    parts = [squared_distances(rows, others).min(dim=1) for _, rows in blocks(points, len(others))]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])
