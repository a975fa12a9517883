"""FID∞ and IS∞: the scores of infinitely many fakes (Chong and Forsyth 2020, "Effectively Unbiased FID and Inception Score", sec. 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.distances import checked
from ganeval.metrics.frechet_error import frechet_distances
from ganeval.metrics.uncertainty import groups, one_left_out, scored_by_jackknife
from ganeval.numbers import check_logits
from ganeval.report import Score
from ganeval.stats import FeatureStats

NUM_SIZES = 15  # of subsets, evenly spaced up to all fakes
SMALLEST = 5000  # the smallest subset …
SMALLEST_SHARE = 0.1  # … or this share of the fakes, where they are fewer than 50,000
FEWEST = 60  # fakes: a covariance needs two, and the smallest subset must have them without any one group of the jackknife


def fid_infinity(real: FeatureStats, fake: Tensor, *, seed: int = 2020, spread: bool = True) -> Score:
    """Where the Fréchet distance, which is nearly linear in 1 / num_fake, meets 1 / num_fake = 0.

    Takes away the bias of few fakes, not that of few reals. Where the smallest subset has less than some ten images for each feature, the
    distances are no line, and the value comes out too low, for fakes like the reals even below 0.

    Args:
        real: stats of the reals.
        fake: float features [num_fake, dim].
        seed: of the subsets.
        spread: whether to compute the standard error, which takes as long 20 times over.

    Raises:
        InputError: fewer than 60 fakes, features of another dimension than those of the reals, or not finite.
    """
    if fake.ndim != 2 or fake.shape[1] != real.dim:
        raise InputError(f"stats of {real.dim} features and fakes {list(fake.shape)} have no distance; use one extractor for both sets")
    real.check()
    (fake,) = checked(fake)
    chosen = _subsets(len(fake), seed)
    value = _intercept(chosen, frechet_distances(real, fake, chosen))
    if not spread:
        return Score(value)
    kept = one_left_out(len(fake))
    without = [_intercept(some, frechet_distances(real, fake, some)) for some in (chosen & row for row in kept[:, groups(len(fake))])]
    return scored_by_jackknife(value, torch.tensor(without, dtype=torch.float64), kept)


def is_infinity(logits: Tensor, *, seed: int = 2020) -> Score:
    """The same of the Inception Score, of one split.

    Args:
        logits: float [num_fake, classes] before the softmax.

    Raises:
        InputError: fewer than 60 fakes, or logits that are NaN or infinite.
    """
    check_logits(logits)
    chosen = _subsets(len(logits), seed)
    group, kept = groups(len(logits)), one_left_out(len(logits))
    log_p = logits.cpu().double().log_softmax(dim=1)
    p = log_p.exp()
    each = torch.cat([p, (p * log_p).sum(dim=1, keepdim=True)], dim=1)  # [num_fake, classes + 1]
    # Sums over each group of each subset: all that the score of any union of groups needs.
    member = torch.nn.functional.one_hot(group).double()  # [num_fake, groups]
    sums = torch.stack([(member * rows[:, None]).T @ each for rows in chosen])  # [subsets, groups, classes + 1]
    counts = torch.stack([member[rows].sum(dim=0) for rows in chosen])  # [subsets, groups]

    def at_infinity(groups_kept: Tensor) -> float:
        number = counts[:, groups_kept].sum(dim=1, keepdim=True)
        means = sums[:, groups_kept].sum(dim=1) / number
        entropy = -torch.special.xlogy(means[:, :-1], means[:, :-1]).sum(dim=1)
        return _line(number.squeeze(1), (means[:, -1] + entropy).exp())

    without = torch.tensor([at_infinity(row) for row in kept], dtype=torch.float64)
    return scored_by_jackknife(at_infinity(torch.ones_like(kept[0])), without, kept)


def _subsets(num_images: int, seed: int) -> Tensor:
    """bool [NUM_SIZES, num_images]."""
    if num_images < FEWEST:
        raise InputError(f"extrapolation to infinitely many fakes needs at least {FEWEST} of them, got {num_images}; add images")
    rng = torch.Generator().manual_seed(seed)
    sizes = torch.linspace(min(SMALLEST, int(SMALLEST_SHARE * num_images)), num_images, NUM_SIZES).round()
    return torch.stack([torch.randperm(num_images, generator=rng) < size for size in sizes])


def _intercept(chosen: Tensor, scores: Tensor) -> float:
    return _line(chosen.sum(dim=1).double(), scores.cpu())


def _line(numbers: Tensor, scores: Tensor) -> float:
    """The least-squares line through (1 / number, score), at 0."""
    x = numbers.reciprocal()
    x = x - x.mean()
    slope = (x * scores).sum() / x.square().sum()
    return (scores.mean() - slope * numbers.reciprocal().mean()).item()
