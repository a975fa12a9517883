"""Losses on raw outputs of a discriminator, of any shape; float32 whatever the nets ran in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Distance = Literal["l1", "l2"]


def log_loss(logits: Tensor, label: float) -> Tensor:
    """Cross-entropy of sigmoid(logits) with `label`: −label·log D − (1 − label)·log(1 − D)."""
    logits = logits.float()
    return (F.softplus(logits) - label * logits).mean()


def squared_loss(outputs: Tensor, label: float) -> Tensor:
    """Mean of (D − label)²."""
    return (outputs.float() - label).square().mean()


def distance(a: Tensor, b: Tensor, kind: Distance = "l1") -> Tensor:
    """Mean of |a − b| or of (a − b)²."""
    difference = a.float() - b.float()
    return difference.abs().mean() if kind == "l1" else difference.square().mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """E[(‖∇D(x)‖₂ − 1)²] at points x between reals and fakes (Gulrajani et al. 2017, eq. 3); of a patch map, D is the sum."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = (share * real + (1 - share) * fake.detach().float()).requires_grad_()
    with torch.autocast(real.device.type, enabled=False):  # squares of small gradients
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty
