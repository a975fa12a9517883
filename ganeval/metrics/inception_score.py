"""Inception Score (Salimans et al. 2016, sec. 4)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.uncertainty import scored_by_influence
from ganeval.numbers import check_logits
from ganeval.report import Score


def inception_score(
    logits: Tensor,
    *,
    num_splits: int = 10,
    order: Literal["seeded", "stored"] = "seeded",
    seed: int = 2020,
    split: Literal["even", "ceil"] = "even",
    ddof: int = 0,
) -> Score:
    """exp of the mean KL(p(y|x) ‖ p(y)) within each split: the mean over splits, and their standard deviation.

    Args:
        logits: float [num_images, classes] before the softmax, which is taken in float64.
        num_splits: p(y) is estimated within each split; more splits of fewer images give a lower score.
        order: "stored" splits the images as they come, "seeded" shuffles them first. Class-sorted images in stored order give a
            far lower score.
        seed: of the shuffle, which is `numpy.random.RandomState(seed).permutation`, as in torch-fidelity.
        split: "even" puts boundaries at i·N//num_splits, "ceil" cuts chunks of ⌈N/num_splits⌉ as `torch.chunk` does.
        ddof: the spread divides by (num_splits − ddof).

    Returns:
        The mean; `spread` is the standard deviation over splits; `error` comes from the images: to first order an image adds its own
        KL(p(y|x) ‖ p(y)) to its split, times the score of that split.

    Raises:
        InputError: fewer images than splits, or logits that are NaN or infinite.
    """
    num_images = len(logits)
    if num_splits < 1 or num_images < num_splits:
        raise InputError(f"{num_splits} splits of {num_images} images: choose between 1 and {num_images} splits, or add images")
    check_logits(logits)
    x = logits.cpu().double()
    if order == "seeded":
        # RandomState and not a Generator: only its stream reproduces published values.
        x = x[torch.from_numpy(np.random.RandomState(seed).permutation(num_images))]
    boundaries = [i * num_images // num_splits for i in range(1, num_splits)]
    parts = x.chunk(num_splits) if split == "ceil" else x.tensor_split(boundaries)

    scores, influences = [], []
    for part in parts:  # [split, classes]
        log_p = part.log_softmax(dim=1)
        # [classes], the marginal p(y), in logarithms: a mean of probabilities can underflow to 0 where one of them has not.
        log_q = log_p.logsumexp(dim=0) - math.log(len(part))
        kl = (log_p.exp() * (log_p - log_q)).sum(dim=1)
        scores.append(kl.mean().exp())
        influences.append(scores[-1] * (kl - kl.mean()))
    values = torch.stack(scores)
    spread = values.std(correction=ddof).item() if len(values) > ddof else None
    return scored_by_influence(values.mean().item(), torch.cat(influences), spread=spread)
