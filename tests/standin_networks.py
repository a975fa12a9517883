"""Stand-in weights in the formats of the public files of VGG16, AlexNet, DINOv2 and CLIP: random, seeded, and small on disk.

A matrix is a window that slides over one row of random numbers, so that 550 MB of VGG16 are a file of a few hundred kB. Its rows
differ, and nothing in a network can tell; two tools that are given the same file must agree all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

STEP = 7  # numbers by which the window moves from row to row


def like(shapes: Mapping[str, torch.Size], *, seed: int = 0) -> dict[str, Tensor]:
    """Random tensors of these names and shapes, scaled so that activations neither vanish nor grow."""
    rng = torch.Generator().manual_seed(seed)
    return {name: _tensor(name, shape, rng) for name, shape in shapes.items()}


def _tensor(name: str, shape: torch.Size, rng: torch.Generator) -> Tensor:
    if len(shape) < 2:
        about = 1.0 if name.endswith(("weight", "gamma")) else 0.0  # of norms and layer scales, else a bias
        return about + 0.2 * torch.randn(shape, generator=rng)
    rows, columns = shape[0], math.prod(shape[1:])
    if len(shape) == 3 or ("embed" in name and "proj" not in name) or name == "visual.proj":  # tokens and positions, added to activations
        return torch.randn(shape, generator=rng) / (math.sqrt(rows) if name == "visual.proj" else 2)
    gain = math.sqrt(2) if len(shape) == 4 or "classifier" in name else 1  # ReLU takes half away
    numbers = torch.randn(columns + STEP * (rows - 1), generator=rng) * gain / math.sqrt(columns)
    return numbers.as_strided((rows, columns), (STEP, 1)).view(shape)


def shapes_of(build: Callable[[], nn.Module]) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {name: value.shape for name, value in build().state_dict().items()}


def vgg16_state(*, seed: int = 0) -> dict[str, Tensor]:
    """As vgg16-397923af.pth."""
    return like(shapes_of(lambda: torchvision.models.vgg16(init_weights=False)), seed=seed)


def alexnet_state(*, seed: int = 0) -> dict[str, Tensor]:
    """As alexnet-owt-7be5be79.pth."""
    return like(shapes_of(torchvision.models.alexnet), seed=seed)


def dinov2_state(dim: int, depth: int, *, grid: int = 37, seed: int = 0) -> dict[str, Tensor]:
    """As dinov2_vits14_pretrain.pth and its like: 518 pixels are 37 patches of 14."""
    block = {
        "norm1.weight": (dim,),
        "norm1.bias": (dim,),
        "attn.qkv.weight": (3 * dim, dim),
        "attn.qkv.bias": (3 * dim,),
        "attn.proj.weight": (dim, dim),
        "attn.proj.bias": (dim,),
        "ls1.gamma": (dim,),
        "norm2.weight": (dim,),
        "norm2.bias": (dim,),
        "mlp.fc1.weight": (4 * dim, dim),
        "mlp.fc1.bias": (4 * dim,),
        "mlp.fc2.weight": (dim, 4 * dim),
        "mlp.fc2.bias": (dim,),
        "ls2.gamma": (dim,),
    }
    shapes = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, 1 + grid**2, dim),
        "mask_token": (1, dim),
        "patch_embed.proj.weight": (dim, 3, 14, 14),
        "patch_embed.proj.bias": (dim,),
        **{f"blocks.{index}.{name}": shape for index in range(depth) for name, shape in block.items()},
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    return like({name: torch.Size(shape) for name, shape in shapes.items()}, seed=seed)


def clip_state(width: int, layers: int, patch: int, side: int, dim: int, *, seed: int = 0) -> dict[str, Tensor]:
    """The state dict of OpenAI's CLIP: the picture half, and of the text half what tools look at."""
    block = {
        "attn.in_proj_weight": (3 * width, width),
        "attn.in_proj_bias": (3 * width,),
        "attn.out_proj.weight": (width, width),
        "attn.out_proj.bias": (width,),
        "ln_1.weight": (width,),
        "ln_1.bias": (width,),
        "mlp.c_fc.weight": (4 * width, width),
        "mlp.c_fc.bias": (4 * width,),
        "mlp.c_proj.weight": (width, 4 * width),
        "mlp.c_proj.bias": (width,),
        "ln_2.weight": (width,),
        "ln_2.bias": (width,),
    }
    shapes = {
        "positional_embedding": (77, 512),
        "text_projection": (512, dim),
        "logit_scale": (),
        "visual.class_embedding": (width,),
        "visual.positional_embedding": (1 + (side // patch) ** 2, width),
        "visual.proj": (width, dim),
        "visual.conv1.weight": (width, 3, patch, patch),
        "visual.ln_pre.weight": (width,),
        "visual.ln_pre.bias": (width,),
        **{f"visual.transformer.resblocks.{index}.{name}": shape for index in range(layers) for name, shape in block.items()},
        "visual.ln_post.weight": (width,),
        "visual.ln_post.bias": (width,),
        "ln_final.weight": (512,),
    }
    return like({name: torch.Size(shape) for name, shape in shapes.items()}, seed=seed)


def saved(state: dict[str, Tensor], path: Path) -> Path:
    torch.save(state, path)
    return path
