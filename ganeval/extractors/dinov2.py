"""DINOv2 (Oquab et al. 2023) by timm, fed as by Stein et al. 2023: the network of FD-DINOv2."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganeval.conventions import Convention
from ganeval.extractors.loading import IMAGENET, NetworkExtractor, StateDict, check_convention, filled, loaded, standardized
from ganeval.extractors.protocol import Activations
from ganeval.optional import package
from ganeval.progress import Progress, silent
from ganeval.published import DINOV2_B, DINOV2_L, DINOV2_S, WeightsFile
from ganeval.resize import pillow_bicubic

SIDE, PATCH = 224, 14
GRID = SIDE // PATCH  # 16 patches in a row; 37 where the network was trained
OFFSET = 0.1  # that the authors' hub models add to the grid before they divide by the trained one: dinov2/hub/backbones.py


class Variant(NamedTuple):
    """One size of the network."""

    name: str
    timm_name: str
    dim: int
    published: WeightsFile


LARGE = Variant("dinov2", "vit_large_patch14_dinov2", 1024, DINOV2_L)
BASE = Variant("dinov2-b", "vit_base_patch14_dinov2", 768, DINOV2_B)
SMALL = Variant("dinov2-s", "vit_small_patch14_dinov2", 384, DINOV2_S)


def normalized(images: Tensor) -> Tensor:
    """uint8 [batch, 3, height, width] → float32 [batch, 3, 224, 224]: Pillow's bicubic, rounded to gray levels, as dgm-eval."""
    return standardized(pillow_bicubic(images, SIDE, SIDE), *IMAGENET)


def at_grid(positions: Tensor) -> Tensor:
    """Position embeddings [1, 1 + trained², dim] → [1, 1 + 16², dim], as the authors' hub models do it.

    Bicubic, not antialiased, at a scale of 16.1/37 and not 16/37, by which all sample points move a little. timm's own way
    is antialiased and without the offset: other features.
    """
    first, patches = positions[:, :1], positions[:, 1:]
    trained = round(patches.shape[1] ** 0.5)
    if trained == GRID:
        return positions
    square = patches.float().unflatten(1, (trained, trained)).permute(0, 3, 1, 2)
    square = F.interpolate(square, scale_factor=(GRID + OFFSET) / trained, mode="bicubic")
    return torch.cat([first, square.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def converted(state: StateDict) -> StateDict:
    """The authors' names are timm's; what is for training only goes, and the position embeddings are brought to 224 pixels."""
    kept = {name: value for name, value in state.items() if name != "mask_token"}
    return kept | {name: at_grid(kept[name]) for name in ("pos_embed",) if name in kept and kept[name].ndim == 3}


def load(
    *, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent, variant: Variant = LARGE
) -> NetworkExtractor:
    """The class token after the last norm, with the authors' weights, fetched if need be, or with those of `weights_file`.

    Raises:
        InputError: timm is not installed, the weights cannot be had or are not of this network, or a convention that says how
            Inception is fed.
    """
    check_convention(variant.name, convention)
    timm = package("timm", extra="dinov2", asked_by=f"the extractor {variant.name}")
    preprocessing = f"Pillow bicubic {SIDE}x{SIDE} to uint8, (x/255-mean)/deviation of ImageNet"
    found = loaded(variant.published, weights_file, preprocessing=preprocessing, progress=progress)
    build = partial(timm.create_model, variant.timm_name, pretrained=False, img_size=SIDE, num_classes=0)
    what = f"DINOv2 {variant.published.about.split()[1].rstrip(',')} (the authors' layer names)"
    net: nn.Module = filled(build, found._replace(state=converted(found.state)), device=device, what=what)
    return NetworkExtractor(variant.name, variant.dim, prepare=normalized, net=lambda x: Activations(net(x)), identity=found.identity)


load_base, load_small = partial(load, variant=BASE), partial(load, variant=SMALL)
