"""Pairing: each fake beside the picture it should be, while the fakes pass by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.extractors.protocol import Identity
from ganeval.halving import Halving
from ganeval.images import ImageSource, Seen
from ganeval.measured import Measured
from ganeval.metrics import paired
from ganeval.progress import Progress, silent

Difference = Callable[[Tensor, Tensor], Tensor]  # uint8 [num, 3, height, width] twice → float64 [num]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise:
    """What takes the place of an extractor where pictures are compared two by two."""

    name: str
    identity: Identity
    differences: Mapping[str, Difference]  # by metric


def load_pairwise(name: str, *, device: torch.device | None = None, progress: Progress = silent) -> Pairwise:
    """ "pixels", or LPIPS on one of its networks: "lpips-alex", "lpips-vgg".

    Raises:
        InputError: weights or a package that LPIPS needs are not here.
    """
    if name == "pixels":
        as_they_are = Identity(weights_sha256=None, standard=True, preprocessing="gray levels 0 to 255")
        return Pairwise(name=name, identity=as_they_are, differences={"l1": paired.l1, "psnr": paired.psnr, "ssim": paired.ssim})
    from ganeval.extractors.lpips import load_lpips  # brings torchvision, which no other score needs

    net: Literal["vgg", "alex"] = "vgg" if name == "lpips-vgg" else "alex"
    lpips = load_lpips(net, device=device or torch.device("cpu"), progress=progress)
    return Pairwise(name=name, identity=lpips.identity, differences={"lpips": lpips})


class Pairing:
    """Differences of fakes and targets, one number for each pair.

    Pictures are paired by name without its ending where both sides have names, else by position.
    """

    def __init__(self, targets: ImageSource, networks: Iterable[Pairwise], *, device: torch.device, skip_bad: bool) -> None:
        self._where = targets.where
        self._networks = list(networks)
        self._device = device
        self._seen = Seen()
        self._targets = _one_by_one(targets, self._seen, skip_bad=skip_bad)
        self._found: dict[tuple[str, str], list[Tensor]] = {}
        self._halvings: dict[str, Halving] = {}
        self._done = 0

    def add(self, images: Tensor, seen: Seen) -> None:
        """The next fakes, uint8 [num, 3, height, width].

        Raises:
            InputError: there is no target for one of them, or one of another name or size.
        """
        targets = []
        for image in images:
            target = next(self._targets, None)
            name = seen.name_of(self._done)
            if target is None:
                raise InputError(f"{name} has no target: {self._where} holds only {self._done:,} pictures; pairs need one for each fake")
            own, other = seen.file_of(self._done), self._seen.file_of(self._done)
            if own is not None and other is not None and _stem(own) != _stem(other):
                raise InputError(f"{name} would be compared with {other}; paired scores need the same names on both sides")
            if target.shape != image.shape:
                raise InputError(f"{name} is {_size(image)} pixels and its target {_size(target)}; paired scores need one size")
            targets.append(target)
            self._done += 1
        pair = images.to(self._device), torch.stack(targets).to(self._device)
        for network in self._networks:
            for metric, difference in network.differences.items():
                halving = self._halvings.setdefault(network.name, Halving(network.name))
                several = halving(partial(_some, difference, *pair), range(len(images)))
                self._found.setdefault((network.name, metric), []).extend(several)

    def measured(self) -> dict[str, Measured]:
        """By network, the differences in the order of the fakes.

        Raises:
            InputError: a target is left over.
        """
        if next(self._targets, None) is not None:
            raise InputError(f"{self._where} holds more than the {self._done:,} pictures that there are fakes; pairs need one for each")
        found: dict[str, dict[str, Tensor]] = {}
        for (network, metric), parts in self._found.items():
            found.setdefault(network, {})[metric] = torch.cat(parts)
        return {network: Measured(pairs=pairs) for network, pairs in found.items()}


def _some(difference: Difference, fakes: Tensor, targets: Tensor, which: range) -> Tensor:
    return difference(fakes[which.start : which.stop], targets[which.start : which.stop]).cpu()


def _one_by_one(source: ImageSource, seen: Seen, *, skip_bad: bool) -> Iterator[Tensor]:
    for batch in source.batches(seen, batch_size=32, skip_bad=skip_bad):
        yield from batch


def _stem(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return folder + slash + (file.rpartition(".")[0] or file)


def _size(image: Tensor) -> str:
    return f"{image.shape[2]}×{image.shape[1]}"
