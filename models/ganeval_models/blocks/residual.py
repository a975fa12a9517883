"""The residual connection (He et al. 2015)."""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """x + layers(x); added, not concatenated."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.layers(x)
        return x + residual
