"""Coverage (Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.errors import InputError

BLOCK = 2048  # rows of a distance matrix in memory at once


def coverage(real: Tensor, fake: Tensor, *, k: int = 5) -> float:
    """Share of the reals that have a fake within the distance of their k-th nearest real neighbor.

    Args:
        real, fake: float features [num_real, dim] and [num_fake, dim].
        k: 5 is the paper's; with as many fakes as reals, and fakes of the same distribution, the expected value then is 1 − 1/2⁵ = 0.97.

    Raises:
        InputError: no more than k reals, or no fakes.
    """
    if len(real) <= k or len(fake) < 1:
        raise InputError(f"coverage needs more than {k} reals and at least one fake, got {len(real)} and {len(fake)}")
    covered = [
        # Distance 0 is the point itself, so the (k+1)-th smallest is its k-th neighbor.
        torch.cdist(rows, fake).amin(dim=1) < torch.cdist(rows, real).kthvalue(k + 1, dim=1).values
        for rows in real.split(BLOCK)
    ]
    return torch.cat(covered).double().mean().item()
