"""How weights begin."""

from __future__ import annotations

from torch import nn


def start_normal(*nets: nn.Module, std: float = 0.02) -> None:
    """Weights from N(0, std), biases 0, gains of normalization from N(1, std) (Radford et al. 2015, sec. 4, and their code)."""
    for net in nets:
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                nn.init.normal_(module.weight, 0.0, std)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)) and module.affine:
                nn.init.normal_(module.weight, 1.0, std)
                nn.init.zeros_(module.bias)


def start_glorot(*nets: nn.Module) -> None:
    """Weights of perceptrons uniform, of variance 2 / (inputs + outputs); biases 0 (Glorot & Bengio 2010, eq. 16; Keras' default)."""
    for net in nets:
        for module in net.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
