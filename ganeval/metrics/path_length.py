"""Perceptual path length (Karras et al. 2019, sec. 4.1): how much pictures change along a small step between two latents."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics.uncertainty import scored_by_influence
from ganeval.report import Score

EPSILON = 1e-4  # sec. 4.1
DISCARD = (1.0, 99.0)  # percentiles outside of which steps are left out: ppl2 and ppl of StyleGAN's perceptual_path_length.py
PARALLEL = 1e-7  # sine of the angle below which a sphere's arc is a straight line, as in torch-fidelity

Walk = Literal["slerp", "lerp"]


def lerp(start: Tensor, end: Tensor, t: Tensor | float) -> Tensor:
    """Where the straight line from `start` to `end` is at `t`, 0 to 1: float64 of their shape. For z from a uniform distribution, or w."""
    a, b = start.double(), end.double()
    return a + (b - a) * t


def slerp(start: Tensor, end: Tensor, t: Tensor | float) -> Tensor:
    """The same along the arc (Shoemake 1985), for z from a normal distribution, which lies near a sphere: float64 [num, z_dim].

    Lengths are kept: the arc goes through latents that the generator knows, the line through shorter ones that it does not.
    """
    a, b = start.double(), end.double()
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1).unsqueeze(-1)  # [num, 1]
    angle = cosine.acos()
    sine = angle.sin()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / sine.clamp(min=PARALLEL)
    has_angle = (sine > PARALLEL) & (a.norm(dim=-1, keepdim=True) > 0) & (b.norm(dim=-1, keepdim=True) > 0)
    return torch.where(has_angle, arc, lerp(a, b, t))


PATHS: Mapping[Walk, Callable[[Tensor, Tensor, Tensor | float], Tensor]] = MappingProxyType({"slerp": slerp, "lerp": lerp})


def path_length(distances: Tensor, *, epsilon: float = EPSILON, discard: tuple[float, float] = DISCARD) -> Score:
    """The mean of distances over ε², without the outermost ones; spread and standard error with it. Lower is smoother.

    `spread` is the deviation of the steps that count (over their number, as torch-fidelity has it); `error` is that of a trimmed mean:
    a step that is left out still counts as one at the border (Huber 1981, sec. 3.3).

    Args:
        distances: float [num_pairs], between the pictures at the two ends of each step.
        epsilon: length of a step as a share of the path.
        discard: percentiles; of two values around one the outer is taken, so that the values on the border count.

    Raises:
        InputError: fewer than two distances.
    """
    if len(distances) < 2:
        raise InputError(f"a path length needs at least 2 steps, got {len(distances)}")
    lengths = distances.double().sort().values / epsilon**2
    first, last = math.floor(discard[0] / 100 * (len(lengths) - 1)), math.ceil(discard[1] / 100 * (len(lengths) - 1))
    low, high = lengths[first], lengths[last]
    kept = lengths[(lengths >= low) & (lengths <= high)]
    share = len(kept) / len(lengths)
    influences = (distances.double() / epsilon**2).clamp(low, high) / share  # in the order of the steps
    return scored_by_influence(kept.mean().item(), influences, spread=kept.std(correction=0).item())
