"""Feature Likelihood Divergence (Jiralerspong et al. 2023, sec. 3): fidelity, diversity and novelty in one number."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import blocks, checked, squared_distances
from ganeval.metrics.uncertainty import groups, one_left_out, scored_by_jackknife
from ganeval.report import Score

NUM_EPOCHS, LEARNING_RATE = 50, 0.5  # of Adam; this and what follows are the authors', in their package fld
NARROWEST, WIDEST = -40.0, 40.0  # log variances
OFFSET = 1e-3  # of squared distances, at the start
CONTRACTION = 0.9  # of the training pictures towards their mean, for the Gaussian there
SETTLED, SETTLED_EPOCHS = 5e-4, 5  # the fit ends when its loss has not moved by more than that in so many epochs
KEPT_ELEMENTS = 2**27  # of a distance matrix that is kept over the epochs: 1 GiB; a larger one is computed anew in each


def fld(train: Tensor, held_out: Tensor, fake: Tensor, *, baseline: float = 0.0) -> Score:
    """100 times the negative log-likelihood per dimension of held-out pictures, under a Gaussian around each fake, less a baseline.

    Each Gaussian is as wide as makes the training pictures likeliest. One around a copy of a training picture becomes so narrow that it
    gives nothing to held-out pictures, so copying costs what it should gain. For the fit alone there is one more Gaussian, around the mean
    of the training pictures, so that none is without likelihood.

    The authors' package scores 10,000 fakes drawn by chance, and takes a step for each 10,000 training pictures; here all fakes count,
    and each step sees all training pictures.

    Args:
        train, held_out, fake: float features [num, dim] of each, normalized here by mean and standard deviation of the held-out pictures.
        baseline: the negative log-likelihood per dimension of a perfect model, which depends on data and features; 0 leaves the score
            as it is.

    Returns:
        The score; `error` is with the widths held fixed, which makes it some 5 % too small at 100 fakes.

    Raises:
        InputError: fewer than two pictures in a set, features that are constant over the held-out pictures or not finite.
    """
    if min(len(train), len(held_out), len(fake)) < 2:
        counts = f"{len(train)} training, {len(held_out)} held-out and {len(fake)} fake pictures"
        raise InputError(f"FLD needs at least 2 of each, got {counts}; add images")
    x, h, y = checked(train, held_out, fake)
    deviation = h.std(dim=0)
    varying = deviation > 1e-12 * deviation.max()
    if not varying.any():
        raise InputError(f"all {len(h)} held-out pictures have the same features, so FLD has no scale; check the images")
    mean = h.mean(dim=0)
    x, h, y = ((side - mean)[:, varying] / deviation[varying] for side in (x, h, y))
    log_width = _fitted(x, y)
    dim = x.shape[1]

    group, kept = groups(len(y)).to(y.device), one_left_out(len(y))
    by_group = []  # log of the summed densities of each group of fakes, at each held-out picture
    for _, rows in blocks(h, len(y)):
        log_density = _log_density(squared_distances(rows, y), log_width, dim)
        by_group.append(torch.stack([log_density[:, group == one].logsumexp(dim=1) for one in range(kept.shape[1])], dim=1))
    of_groups, sizes = torch.cat(by_group).cpu(), group.bincount().cpu()

    def score(groups_kept: Tensor) -> float:
        log_likelihood = of_groups[:, groups_kept].logsumexp(dim=1) - sizes[groups_kept].sum().log()
        return 100 * (-log_likelihood.mean().item() / dim - baseline)

    return scored_by_jackknife(score(torch.ones_like(kept[0])), torch.tensor([score(row) for row in kept], dtype=torch.float64), kept)


def _log_density(squared: Tensor, log_width: Tensor, dim: int) -> Tensor:
    """log N(x; y, width · I) for squared distances [num, num_fake] and log variances [num_fake]."""
    return -0.5 * (squared * (-log_width).exp() + dim * (log_width + math.log(2 * math.pi)))


def _fitted(x: Tensor, y: Tensor) -> Tensor:
    """Log variance of each fake's Gaussian, [num_fake], that makes the training pictures likeliest."""
    dim = x.shape[1]
    keep = len(x) * len(y) <= KEPT_ELEMENTS
    kept = [(rows, squared_distances(block, y)) for rows, block in blocks(x, len(y))] if keep else None

    def distances() -> Iterable[tuple[slice, Tensor]]:
        return kept or ((rows, squared_distances(block, y)) for rows, block in blocks(x, len(y)))

    nearest = torch.stack([squared.amin(dim=0) for _, squared in distances()]).amin(dim=0)
    around_mean = CONTRACTION**2 * (x - x.mean(dim=0)).square().sum(dim=1, keepdim=True)
    # The last is that of the Gaussian around the mean.
    log_width = torch.cat([((nearest + OFFSET) / dim).log(), nearest.new_zeros(1)])
    adam = torch.optim.Adam([log_width], lr=LEARNING_RATE)
    losses: list[float] = []
    for _ in range(NUM_EPOCHS):
        gradient, log_likelihood = torch.zeros_like(log_width), 0.0
        for rows, squared in distances():
            both = torch.cat([squared, around_mean[rows]], dim=1)
            log_density = _log_density(both, log_width, dim)
            log_density[:, :-1] -= math.log(len(y))
            # e⁻⁷⁰⁰ of the largest changes no sum. Below it shares are denormal numbers, ten times slower to compute with than zeros.
            log_density[log_density < log_density.amax(dim=1, keepdim=True) - 700] = -math.inf
            log_likelihood += log_density.logsumexp(dim=1).sum().item()
            # Each Gaussian is answerable for its share of each training picture.
            share = log_density.softmax(dim=1)
            gradient += 0.5 * (share * (both * (-log_width).exp() - dim)).sum(dim=0)
        log_width.grad = -gradient / (len(x) * dim)
        adam.step()
        log_width[:-1].clamp_(NARROWEST, WIDEST)
        losses.append(-log_likelihood / (len(x) * dim))
        recent = losses[-SETTLED_EPOCHS:]
        if len(losses) > SETTLED_EPOCHS + 1 and max(abs(losses[-1] - loss) for loss in recent) < SETTLED:
            break
    return log_width[:-1]
