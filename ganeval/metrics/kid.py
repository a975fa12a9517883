"""Kernel Inception Distance (Bińkowski et al. 2018, "Demystifying MMD GANs", sec. 3 and 4)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import checked
from ganeval.report import Score


def kid(real: Tensor, fake: Tensor, *, num_subsets: int = 100, subset_size: int = 1000, seed: int = 2020) -> Score:
    """Mean over subsets of the unbiased squared maximum mean discrepancy under k(x, y) = (xᵀy / dim + 1)³.

    Unbiased: its expectation does not depend on the number of images, and it can be negative.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim] on one device.
        num_subsets, subset_size: 100 of 1000 are torch-fidelity's.
        seed: of `numpy.random.RandomState`, which draws for each subset first the fakes and then the reals, as torch-fidelity does.

    Returns:
        The mean; `spread` is the standard deviation over subsets, which says how much one subset varies and not how sure the mean is;
        `error` is the standard error of the mean: the variance of a U-statistic over draws of fakes (Hoeffding 1948), its
        components estimated within the subsets, and the scatter that comes from drawing subsets.

    Raises:
        InputError: a subset is larger than one of the sets or smaller than 2, no subsets, or features are not finite.
    """
    fewest = min(len(real), len(fake))
    if num_subsets < 1 or subset_size < 2 or fewest < subset_size:
        raise InputError(
            f"KID is over {num_subsets} subsets of {subset_size} images, but there are {len(real)} real and {len(fake)} fake; "
            f"choose a subset size between 2 and {fewest}, or add images"
        )
    x, y = checked(real, fake)
    # The kernel has sixth powers of features, its variances twelfth ones: beyond 1 they are taken of features by a power of two, exactly.
    size = max(one.square().sum(dim=1).max().item() / one.shape[1] for one in (x, y))
    scale = 2.0 ** max(0, math.frexp(size)[1])
    rng = np.random.RandomState(seed)  # not a Generator: only its stream reproduces published values
    found, components = [], []
    for _ in range(num_subsets):
        some_fakes = y[torch.from_numpy(rng.choice(len(y), subset_size, replace=False)).to(y.device)]
        some_reals = x[torch.from_numpy(rng.choice(len(x), subset_size, replace=False)).to(x.device)]
        value, variances = _discrepancy(some_reals, some_fakes, scale)
        found.append(value)
        components.append(variances)
    values = torch.stack(found)
    # What one fake adds depends on where the reals at hand happen to lie, however alike the distributions: that is the least of it.
    of_one, across, among = torch.stack(components).mean(dim=0)
    of_fakes = 4 * (of_one.clamp(min=0) + across / len(x)) / len(y) + 2 * among / (len(y) * (len(y) - 1))
    of_subsets = values.var(correction=1) / num_subsets if num_subsets > 1 else values.new_zeros(())
    return Score(
        values.mean().item() * scale**3,
        spread=values.std(correction=0).item() * scale**3,
        error=(of_fakes + of_subsets).sqrt().item() * scale**3,
        degrees=len(y) - 1,
    )


def _discrepancy(x: Tensor, y: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """(unbiased squared discrepancy of one subset, [3] variances over draws), by `scale`³ and `scale`⁶.

    The variances: of what one fake adds, were there infinitely many reals; of what a fake and a real add beyond one and one; of what two
    fakes do.
    """
    m = len(x)
    of_reals, of_fakes, across = _kernel(x, x, scale), _kernel(y, y, scale), _kernel(y, x, scale)
    of_reals.fill_diagonal_(0)
    of_fakes.fill_diagonal_(0)
    among, between = _interaction_among(of_fakes), _interaction(across)
    of_fakes *= m / (m - 1)  # means of rows are then over the others
    value = of_reals.sum() / (m * (m - 1)) + of_fakes.mean() - 2 * across.mean()
    # The mean of a row estimates what its fake adds, blurred by what pairs add.
    of_one = (of_fakes - across).mean(dim=1).var() - (among + between) / m
    return value, torch.stack([of_one, between, among])


def _interaction(table: Tensor) -> Tensor:
    """Variance of what is left of a two-way table without its rows' and its columns' means."""
    left = table - table.mean(dim=1, keepdim=True) - table.mean(dim=0) + table.mean()
    return left.square().sum() / (len(table) - 1) ** 2


def _interaction_among(table: Tensor) -> Tensor:
    """The same of a symmetric table whose diagonal is none of it, and 0: unbiased by U-centering (Székely and Rizzo 2014, sec. 3)."""
    m = len(table)
    if m < 4:  # nothing is left
        return table.new_zeros(())
    sums = table.sum(dim=1)
    left = table - (sums[:, None] + sums) / (m - 2) + sums.sum() / ((m - 1) * (m - 2))
    return left.fill_diagonal_(0).square().sum() / (m * (m - 3))


def _kernel(x: Tensor, y: Tensor, scale: float) -> Tensor:
    """((xᵀy / dim + 1)³ − 1) / scale³: the 1 is no part of any discrepancy, and small features would be lost beside it."""
    product, one = x @ y.T / (x.shape[1] * scale), 1 / scale
    return product * (product * (product + 3 * one) + 3 * one**2)
