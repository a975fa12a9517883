"""Generators that are files: TorchScript, ONNX, and diffusers pipelines; as sources of images."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from ganeval.errors import InputError
from ganeval.generators.drawn import DrawnImages, Making
from ganeval.machine import chosen_device

__all__ = ["DrawnImages", "is_generator", "open_generator"]

TORCHSCRIPT = (".pt", ".ts", ".torchscript", ".jit")
WEIGHTS = (".pth", ".ckpt", ".pkl", ".pickle", ".pt2", ".safetensors")  # known by name to be told what is missing
PIPELINE = "diffusers:"


def is_generator(source: str) -> bool:
    """Whether a name is that of a generator, of a kind that can be run or not."""
    return source.startswith(PIPELINE) or (source.lower().endswith((*TORCHSCRIPT, ".onnx", *WEIGHTS)) and not Path(source).is_dir())


def open_generator(
    source: str | os.PathLike[str],
    *,
    num_images: int,
    z_dim: tuple[int, ...] | int | None = None,
    value_range: tuple[float, float] | None = None,
    seed: int = 0,
    trust: bool = False,
    device: str | torch.device | None = None,
) -> DrawnImages:
    """The pictures of a generator in a file, as a source of images for `evaluate`, `fid` and the others.

    It is given latents z, normal, float32 [batch, *z_dim], and gives pictures [batch, 3 or 1, height, width]. The pictures depend on `seed`
    and not on the batch size, but for float32 rounding.

    Args:
        source: TorchScript (.pt, .ts), ONNX (.onnx), or `diffusers:FOLDER` of an unconditional pipeline.
        num_images: how many to draw.
        z_dim: of one latent: 100, or (100, 1, 1). An .onnx states it itself; a TorchScript may, by an attribute `z_dim`.
        value_range: that the pictures are in, (-1, 1) or (0, 1) or (0, 255); it is never guessed. A generator of uint8 needs none.
        trust: run a TorchScript file. It is a program, which may read and write files.
        device: None takes CUDA where there is one. ONNX runs on the CPU.

    Raises:
        InputError: a file that cannot be run, or something about it that is not stated.
    """
    name = os.fspath(source)
    if num_images < 1:
        raise InputError(f"{name} has no end: say how many images to draw, got {num_images}")
    shape = (z_dim,) if isinstance(z_dim, int) else z_dim
    if shape is not None and (not shape or min(shape) < 1):
        raise InputError(f"a latent has 1 number or more, got z_dim {shape}")
    if value_range is not None and not value_range[0] < value_range[1]:
        raise InputError(f"a range goes from the darkest value to the brightest, got {value_range[0]:g},{value_range[1]:g}")
    making = _opened(name, shape, seed, trust, chosen_device(device))
    if making.value_range is not None:
        if value_range not in (None, making.value_range):
            low, high = making.value_range
            raise InputError(f"{name} gives pictures in [{low:g}, {high:g}], not in [{value_range[0]:g}, {value_range[1]:g}]")
        value_range = making.value_range
    return DrawnImages(name, making, num_images=num_images, value_range=value_range, seed=seed)


def _opened(name: str, shape: tuple[int, ...] | None, seed: int, trust: bool, device: torch.device) -> Making:
    from ganeval.generators import onnx, pipeline, torchscript

    if name.startswith(PIPELINE):
        return pipeline.opened(name.removeprefix(PIPELINE), seed=seed, device=device)
    path = Path(name)
    if not path.is_file():
        raise InputError(f"the generator {name} does not exist")
    if name.lower().endswith(".onnx"):
        return onnx.opened(path, shape, seed=seed)
    if not torchscript.is_torchscript(path):
        raise InputError(
            f"{name} is no generator that can be run: weights lack the network, and a pickle (as of StyleGAN) holds code that is not run; "
            "export it where it was trained, with torch.onnx.export(), or write its pictures into a folder by its own script"
        )
    if not trust:
        raise InputError(f"{name} is TorchScript, a program that may read and write files; if you trust it, add --trust (trust=True)")
    return torchscript.opened(path, shape, seed=seed, device=device)
