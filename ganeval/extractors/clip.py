"""The picture half of CLIP (Radford et al. 2021) by open_clip: the networks of CLIP-FID and of CMMD."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganeval.conventions import Convention
from ganeval.extractors.loading import NetworkExtractor, StateDict, check_convention, filled, loaded, standardized
from ganeval.extractors.protocol import Activations
from ganeval.optional import package
from ganeval.progress import Progress, silent
from ganeval.published import CLIP_B_32, CLIP_L_336, WeightsFile
from ganeval.resize import pillow_bicubic

MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # clip/clip.py of openai/CLIP
PREFIX = "visual."


def resized_then_cropped(images: Tensor, side: int) -> Tensor:
    """The shorter side to `side` by Pillow's bicubic, then the middle square: CLIP's own way, and clean-fid's."""
    height, width = images.shape[2:]
    shorter = min(height, width)
    height, width = side * height // shorter, side * width // shorter
    top, left = round((height - side) / 2), round((width - side) / 2)
    return pillow_bicubic(images, height, width)[:, :, top : top + side, left : left + side]


def cropped_then_resized(images: Tensor, side: int) -> Tensor:
    """The middle square, then to `side` by Pillow's bicubic: CMMD's way."""
    height, width = images.shape[2:]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    return pillow_bicubic(images[:, :, top : top + shorter, left : left + shorter], side, side)


class Variant(NamedTuple):
    """One size of the network, and how it is fed."""

    name: str
    side: int
    patch: int
    width: int
    layers: int
    heads: int
    dim: int
    framed: Callable[[Tensor, int], Tensor]
    framing: str
    published: WeightsFile


B_32 = Variant("clip", 224, 32, 768, 12, 12, 512, resized_then_cropped, "224 of the shorter side to uint8, middle 224x224", CLIP_B_32)
L_336 = Variant("clip-l-336", 336, 14, 1024, 24, 16, 768, cropped_then_resized, "336x336 of the middle square to uint8", CLIP_L_336)


def built(open_clip: Any, variant: Variant) -> nn.Module:
    """The picture half alone; it ends in the projection that it shares with the text half, and is not normalized to length 1."""
    net: nn.Module = open_clip.transformer.VisionTransformer(
        image_size=variant.side,
        patch_size=variant.patch,
        width=variant.width,
        layers=variant.layers,
        heads=variant.heads,
        mlp_ratio=4.0,
        output_dim=variant.dim,
        act_layer=open_clip.transformer.QuickGELU,  # of OpenAI's weights; later ones of others have GELU
    )
    return net


def picture_half(state: StateDict) -> StateDict:
    return {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}


def load(
    *, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent, variant: Variant = B_32
) -> NetworkExtractor:
    """Embeddings of pictures with OpenAI's weights, fetched if need be, or with those of `weights_file`.

    The published file is TorchScript in float16; a file of one's own is a state dict of CLIP with OpenAI's layer names. The network
    runs in float32 on every device, where the package clip takes float16 on a GPU.

    Raises:
        InputError: open_clip is not installed, the weights cannot be had or are not of this network, or a convention that says
            how Inception is fed.
    """
    check_convention(variant.name, convention)
    open_clip = package("open_clip", extra="clip", asked_by=f"the extractor {variant.name}")
    preprocessing = f"Pillow bicubic {variant.framing}, (x/255-mean)/deviation of CLIP"
    found = loaded(variant.published, weights_file, preprocessing=preprocessing, progress=progress)
    what = f"CLIP ViT with patches of {variant.patch} at {variant.side} pixels (OpenAI's layer names)"
    net = filled(lambda: built(open_clip, variant), found._replace(state=picture_half(found.state)), device=device, what=what)

    def prepare(images: Tensor) -> Tensor:
        return standardized(variant.framed(images, variant.side), MEAN, DEVIATION)

    return NetworkExtractor(variant.name, variant.dim, prepare=prepare, net=lambda x: Activations(net(x)), identity=found.identity)


load_l_336 = partial(load, variant=L_336)
