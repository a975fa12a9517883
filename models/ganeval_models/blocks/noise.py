"""The noise that fakes are made from."""

from __future__ import annotations

import torch
from torch import Tensor

from ganeval.training.gan import Prior


def latents(num: int, z_dim: int, prior: Prior, *, device: torch.device, rng: torch.Generator | None = None) -> Tensor:
    """[num, z_dim] from N(0, 1) or from U(−1, 1); without `rng`, from torch's global stream."""
    drawn_on = device if rng is None else rng.device
    if prior == "normal":
        return torch.randn(num, z_dim, generator=rng, device=drawn_on).to(device)
    return (torch.rand(num, z_dim, generator=rng, device=drawn_on) * 2 - 1).to(device)
