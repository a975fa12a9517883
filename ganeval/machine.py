"""The machine: which device to compute on, the way there, and the versions of what computes."""

from __future__ import annotations

import platform
from importlib.metadata import version

import torch
from torch import Tensor

from ganeval.errors import InputError, reason


def chosen_device(device: str | torch.device | None) -> torch.device:
    """The device asked for, or the best there is.

    Raises:
        InputError: a device that this machine lacks.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"the device {device} cannot be used here: {reason(error)}") from None
    return chosen


def sent(values: Tensor, device: torch.device) -> Tensor:
    """On the device; from main memory to a GPU by way of pinned memory, which nobody waits for."""
    pinned = device.type == "cuda" and values.device.type == "cpu"  # what is on a GPU already cannot be pinned
    return values.pin_memory().to(device, non_blocking=True) if pinned else values.to(device)


def versions() -> dict[str, str]:
    """Of everything that can move a number."""
    packages = ("ganeval", "torch", "numpy", "scipy", "pillow")
    return {name: version(name) for name in packages} | {"python": platform.python_version()}
