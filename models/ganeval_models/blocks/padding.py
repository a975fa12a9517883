"""Padding by reflection that torch's deterministic mode allows on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ReflectionPad(nn.Module):
    """As nn.ReflectionPad2d, whose gradient on a GPU sums in any order; in deterministic mode the same out of flipped borders."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] → larger by twice the padding."""
        if not torch.are_deterministic_algorithms_enabled():
            return F.pad(x, (self.width,) * 4, mode="reflect")
        for dim in (2, 3):
            first = x.narrow(dim, 1, self.width).flip(dim)
            last = x.narrow(dim, x.shape[dim] - self.width - 1, self.width).flip(dim)
            x = torch.cat([first, x, last], dim=dim)
        return x
