"""Stand-in weights in the exact format of the public Inception file, for machines that cannot fetch it.

Random, with batch-norm statistics calibrated on pictures so that features stay well scaled through all layers. The scores they
give mean nothing; that two tools agree on them means that the tools agree.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ganeval.conventions import CONVENTIONS
from ganeval.extractors.inception import InceptionV3, normalized


def standin_state(images: Tensor, *, seed: int = 0) -> dict[str, Tensor]:
    """State dict of an Inception-v3 whose activations have mean and variance near 1 on `images` (uint8 [n, 3, h, w])."""
    torch.manual_seed(seed)
    net = InceptionV3()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the running statistics become those of the one batch below
            nn.init.uniform_(module.weight, 0.8, 1.2)
            # Mostly above ReLU's kink: with bias 0 a random net of this depth magnifies float32 rounding to 2e-5 of a feature,
            # and a comparison at 1e-5 would say nothing. So it is below 1e-6.
            nn.init.normal_(module.bias, mean=1, std=0.2)
    nn.init.normal_(net.fc.weight, std=0.2)
    nn.init.normal_(net.fc.bias, std=0.5)
    with torch.no_grad():
        net.train()(normalized(images, CONVENTIONS["ttur"]))
    return net.eval().state_dict()


def save_standin(path: Path, images: Tensor, *, seed: int = 0) -> Path:
    """The same, written as the public file is: a plain state dict by `torch.save`."""
    torch.save(dict(standin_state(images, seed=seed)), path)
    return path
