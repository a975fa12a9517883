"""Generators as ONNX: a graph of operators, which cannot do anything but arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ganeval.errors import InputError, reason
from ganeval.files import sha256_of
from ganeval.generators.drawn import Latents, Making
from ganeval.optional import package


def opened(path: Path, shape: tuple[int, ...] | None, *, seed: int) -> Making:
    """z's shape is read from the graph.

    Raises:
        InputError: a damaged file, another input than z, or no statement of z_dim.
    """
    runtime = package("onnxruntime", extra="onnx", asked_by=f"the generator {path}")
    try:
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds, of no common base
        raise InputError(f"{path} is not a readable ONNX file: {reason(error)}") from None
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        listed = ", ".join(f"{one.name}: {one.type}" for one in inputs)
        raise InputError(f"{path} takes {listed or 'nothing'}; a generator takes one float input, z: export one that draws the rest itself")
    latents = Latents(_shape(path, inputs[0].shape[1:], shape), seed)
    fixed = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None

    def make(positions: range) -> Tensor:
        z = latents(positions)
        if fixed is not None:  # a graph of batches of one size: the last is filled up
            z = F.pad(z, (0, 0) * (z.ndim - 1) + (0, fixed - len(z)))
        try:
            images = session.run(None, {inputs[0].name: z.numpy()})[0]
        except Exception as error:
            raise InputError(f"{path} fails for z {list(z.shape)}: {reason(error)}") from None
        return torch.from_numpy(images)[: len(positions)]

    return Making(kind="onnx", make=make, batch_size=fixed, about={"sha256": sha256_of(path), "z_dim": list(latents.shape)})


def _shape(path: Path, stated: list[Any], asked: tuple[int, ...] | None) -> tuple[int, ...]:
    """Of a latent; dimensions that the graph leaves open are words or None."""
    if all(isinstance(dim, int) for dim in stated) and stated:
        if asked not in (None, tuple(stated)):
            raise InputError(f"{path} takes latents of shape {stated}, not {list(asked or ())}; leave --z-dim (z_dim=) out")
        return tuple(stated)
    if asked is None:
        raise InputError(f"{path} does not state its z_dim; say it: --z-dim 100, or --z-dim 100,1,1 for a latent of that shape (z_dim=)")
    return asked
