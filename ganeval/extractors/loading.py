"""What the networks of other people have in common: their packages, their weights, and a preprocessing of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from ganeval import weights
from ganeval.conventions import DEFAULT, Convention
from ganeval.errors import InputError
from ganeval.extractors.protocol import Activations, Identity
from ganeval.files import sha256_of
from ganeval.progress import Progress, silent
from ganeval.published import WeightsFile

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation per channel, of pixels in [0, 1]

StateDict = dict[str, Tensor]
Net = TypeVar("Net", bound=nn.Module)


class NetworkExtractor:
    """A network and how it is fed, whatever the convention: conventions say how Inception is fed."""

    def __init__(
        self, name: str, dim: int, *, prepare: Callable[[Tensor], Tensor], net: Callable[[Tensor], Activations], identity: Identity
    ) -> None:
        self.name = name
        self.dim = dim
        self.identity = identity
        self._prepare = prepare
        self._net = net

    def __call__(self, images: Tensor) -> Activations:
        return self.network(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        return self._prepare(images)

    def network(self, inputs: Tensor) -> Activations:
        return self._net(inputs)


def check_convention(extractor: str, convention: Convention) -> None:
    """Raise an InputError for a convention that says how Inception is fed; the default says nothing that another network could miss."""
    if convention.name not in (DEFAULT, "improved-gan"):
        raise InputError(
            f"the convention {convention.name} says how Inception is fed; the extractor {extractor} has its own preprocessing, leave it out"
        )


class Loaded(NamedTuple):
    """Weights read from a file, not yet in a network."""

    path: Path
    state: StateDict
    identity: Identity


def loaded(
    published: WeightsFile,
    weights_file: Path | None,
    *,
    preprocessing: str,
    instead: str = weights.EMBEDDED_INSTEAD,
    progress: Progress = silent,
) -> Loaded:
    """The published weights, fetched if need be, or those of `weights_file`.

    Raises:
        InputError: the weights cannot be had or read.
    """
    if weights_file is None:
        path, digest = weights.fetch(published, instead=instead, progress=progress), published.sha256  # fetch() has verified it
    elif not weights_file.is_file():
        raise InputError(f"the weights file {weights_file} does not exist")
    else:
        path, digest = weights_file, sha256_of(weights_file)
    standard = digest == published.sha256
    # Some published files are TorchScript, programs: run only if they are those. Any other file must be plain tensors.
    state = weights.torchscript_state_dict(path) if standard and published.torchscript else weights.load_state_dict(path)
    return Loaded(path, state, Identity(weights_sha256=digest, standard=standard, preprocessing=preprocessing))


def filled(build: Callable[[], Net], found: Loaded, *, device: torch.device, what: str) -> Net:
    """The network that `build` makes, with the weights found: float32, on `device`, in evaluation mode, without gradients.

    Raises:
        InputError: the weights are of another network; `what` names the expected one.
    """
    with torch.device("meta"):  # no random start: it would take a second, and numbers from the caller's generator
        net = build()
    try:
        net.load_state_dict(found.state, strict=True, assign=True)
    except RuntimeError as error:
        problems = [line.strip() for line in str(error).splitlines()[1:]]
        raise InputError(f"{found.path} does not hold the weights of {what}: {problems[0][:200]}") from None
    return net.to(device, torch.float32).eval().requires_grad_(False)


def standardized(images: Tensor, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Tensor:
    """uint8 [batch, 3, height, width] → float32, pixels in [0, 1] minus the mean, over the deviation."""
    shape = (1, 3, 1, 1)
    center, scale = (torch.tensor(value, device=images.device).view(shape) for value in (mean, deviation))
    return (images.float() / 255 - center) / scale
