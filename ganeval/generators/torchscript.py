"""Generators as TorchScript: network and weights in one file, a program of torch's operators."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor

from ganeval.errors import InputError, reason
from ganeval.files import sha256_of
from ganeval.generators.drawn import Latents, Making
from ganeval.memory import is_out_of_memory
from ganeval.zips import is_zip, opened_zip


def is_torchscript(path: Path) -> bool:
    """Whether a file holds a program, told without running it."""
    if not is_zip(path):
        return False
    with opened_zip(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def opened(path: Path, shape: tuple[int, ...] | None, *, seed: int, device: torch.device) -> Making:
    """Loading runs nothing yet but what unpacks its attributes; drawing runs the program.

    Raises:
        InputError: a damaged file, or no statement of z_dim.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit.load")  # deprecated; people have the files they have
            module = torch.jit.load(path, map_location=device).eval()
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path} is TorchScript that torch cannot load: {reason(error, line=-1)}") from None
    stated = getattr(module, "z_dim", None)
    shape = (stated,) if shape is None and isinstance(stated, int) else shape
    if shape is None:
        raise InputError(f"{path} does not state its z_dim; say it: --z-dim 100, or --z-dim 100,1,1 for a latent of that shape (z_dim=)")
    latents = Latents(shape, seed)

    def make(positions: range) -> Tensor:
        try:
            images = module(latents(positions).to(device))
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise InputError(
                f"{path} fails for z [{len(positions)}, {', '.join(map(str, latents.shape))}]: {reason(error, line=-1)}"
            ) from None
        if not isinstance(images, Tensor):
            raise InputError(f"{path} gives a {type(images).__name__}; export it so that it gives one tensor of pictures")
        return images

    return Making(kind="torchscript", make=make, about={"sha256": sha256_of(path), "z_dim": list(latents.shape)})
