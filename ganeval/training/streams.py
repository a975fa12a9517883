"""Torch's global streams of random numbers, of the CPU and of a device: taken down, and set back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def random_state(device: torch.device) -> dict[str, Tensor | None]:
    """Where the streams are that a run on `device` draws from."""
    return {"cpu": torch.get_rng_state(), "device": _state_of(device)}


def set_random_state(state: Mapping[str, Tensor | None], device: torch.device) -> None:
    """Back to there; a state of another kind of device sets the CPU's only."""
    assert state["cpu"] is not None
    torch.set_rng_state(state["cpu"])
    if (found := state["device"]) is None:
        return
    if device.type == "cuda":
        torch.cuda.set_rng_state(found, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(found)


def _state_of(device: torch.device) -> Tensor | None:
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else None
