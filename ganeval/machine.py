"""The machine: which device to compute on, what it does with freed memory, and the versions of what computes."""

from __future__ import annotations

import ctypes
import platform
from importlib.metadata import version

import torch

from ganeval.errors import InputError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)


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
        raise InputError(f"the device {device} cannot be used here: {str(error).splitlines()[0]}") from None
    return chosen


def keep_freed_memory() -> None:
    """From now on this process keeps the memory it frees, for what it allocates next; only where the C library is glibc.

    Else each large tensor of a training step comes as fresh pages that the system fills with zeros first, and goes back after use:
    with batches of thousands of pictures that is a fifth of the time of a step on a CPU.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # Windows, macOS, musl
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)


def versions() -> dict[str, str]:
    """Of everything that can move a number."""
    packages = ("ganeval", "torch", "numpy", "scipy", "pillow")
    return {name: version(name) for name in packages} | {"python": platform.python_version()}
