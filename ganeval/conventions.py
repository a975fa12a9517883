"""Named conventions: everything that two tools do differently on the way to one number, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ganeval.errors import InputError, nearest

Resize = Literal["tf1-bilinear", "bilinear", "bilinear-antialias", "bicubic-antialias"]
Normalization = Literal["(x-128)/128", "2x/255-1"]
Order = Literal["seeded", "stored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One way to compute FID and Inception Score. The fields are all that a number depends on besides images and weights."""

    name: str
    resize: Resize  # a key of `ganeval.resize.RESIZE`, applied to float images in RGB, 0 to 255
    normalization: Normalization  # what the network is fed, x being the resized gray level
    clip: bool = False  # whether a resize that overshoots is cut to the range of gray levels
    logits_bias: bool = False  # whether the classifier's bias is added before the softmax
    is_order: Order = "seeded"  # images are shuffled by the seed, or split in the order they come in
    is_num_splits: int = 10
    is_spread_ddof: int = 0  # the spread over splits is divided by (splits − ddof)
    is_split: Literal["even", "ceil"] = "even"  # boundaries at i·N//splits, or chunks of ⌈N/splits⌉
    defines: tuple[str, ...]  # the metrics that the tool itself computes
    equals: str  # the tools whose numbers this one reproduces
    source: str

    @property
    def preprocessing(self) -> str:
        """What a feature depends on besides the weights. Stats with equal preprocessing may be compared."""
        return f"{self.resize} 299x299{' clipped' if self.clip else ''}, {self.normalization}"


_ALL = (
    Convention(
        name="ttur",
        resize="tf1-bilinear",
        normalization="(x-128)/128",
        defines=("fid", "is"),
        equals="TTUR, torch-fidelity, StyleGAN's resize, EDM, ADM; torchmetrics < 1.8 or antialias=False; clean-fid legacy_tensorflow",
        source="Heusel et al. 2017 (fid.py of bioinf-jku/TTUR); IS order, seed and splits: torch-fidelity",
    ),
    Convention(
        name="pytorch-fid",
        resize="bilinear",
        normalization="2x/255-1",
        defines=("fid",),
        equals="pytorch-fid; clean-fid legacy_pytorch; dgm-eval's default",
        source="mseitzer/pytorch-fid 0.3.0, fid_score.py and inception.py",
    ),
    Convention(
        name="clean-fid",
        resize="bicubic-antialias",
        clip=True,
        normalization="(x-128)/128",
        defines=("fid",),
        equals="clean-fid mode=clean",
        source="Parmar et al. 2022; GaParmar/clean-fid 0.1.35, resize.py",
    ),
    Convention(
        name="torchmetrics",
        resize="bilinear-antialias",
        normalization="(x-128)/128",
        is_spread_ddof=1,
        is_split="ceil",
        defines=("fid", "is"),
        equals="torchmetrics ≥ 1.8 (antialias=True); its IS order is unseeded, ours is seeded",
        source="Lightning-AI/torchmetrics 1.9.0, image/fid.py and image/inception.py",
    ),
    Convention(
        name="improved-gan",
        resize="tf1-bilinear",
        normalization="(x-128)/128",
        is_order="stored",
        defines=("is",),
        equals="openai/improved-gan inception_score/model.py; its FID would be ttur's",
        source="Salimans et al. 2016",
    ),
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType({convention.name: convention for convention in _ALL})
DEFAULT = "ttur"


def convention_named(name: str | Convention) -> Convention:
    """The convention of that name; a `Convention` of one's own passes through.

    Raises:
        InputError: no convention has that name.
    """
    if isinstance(name, Convention):
        return name
    if name not in CONVENTIONS:
        raise InputError(f"no convention is called {name!r}; {nearest(name, CONVENTIONS)}")
    return CONVENTIONS[name]
