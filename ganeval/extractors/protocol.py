"""The seam users replace: what a network must offer to be scored with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor


class Activations(NamedTuple):
    """What a network says of a batch of images."""

    features: Tensor  # float [batch, dim]
    logits: Tensor | None = None  # float [batch, classes]; None where the network does not classify
    spatial: Tensor | None = None  # float [batch, spatial dim]: some channels at all their positions, for sFID; None where there are none


def joined(parts: Sequence[Activations]) -> Activations:
    """Of several batches, as of one."""
    features, logits, spatial = ([one for one in kind if one is not None] for kind in zip(*parts, strict=True))
    return Activations(torch.cat(features), torch.cat(logits) if logits else None, torch.cat(spatial) if spatial else None)


@runtime_checkable
class FeatureExtractor(Protocol):
    """Anything that turns images into features.

    `name` identifies weights *and* preprocessing: two extractors of one name must give the same features.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def __call__(self, images: Tensor) -> Activations:
        """`images`: uint8 RGB [batch, 3, height, width], all of one size, on any device."""
        ...


@runtime_checkable
class TwoStage(FeatureExtractor, Protocol):
    """An extractor that can bring images to one size before its network runs.

    Optional. With it, pictures of many sizes still reach the network in full batches.
    """

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 [batch, 3, height, width] of one size → network input of a size that is always the same."""
        ...

    def network(self, inputs: Tensor) -> Activations:
        """Prepared input → activations."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What decides whether two features are comparable; goes into every provenance."""

    weights_sha256: str | None  # None: an extractor of one's own that does not say
    standard: bool  # whether these are the published weights of that name
    preprocessing: str


@runtime_checkable
class Identified(FeatureExtractor, Protocol):
    """An extractor that states its identity, as the built-in ones do."""

    @property
    def identity(self) -> Identity: ...


def identity_of(extractor: FeatureExtractor) -> Identity:
    """The stated identity, or what the name alone stands for."""
    if isinstance(extractor, Identified):
        return extractor.identity
    return Identity(weights_sha256=None, standard=True, preprocessing=f"as {extractor.name} defines it")
