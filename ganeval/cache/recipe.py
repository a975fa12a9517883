"""Recipe and address: all that a feature depends on, as one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from ganeval.conventions import Convention
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.images.origin import Origin
from ganeval.machine import versions

FORMAT = 3  # of entries; to be raised with every change of the code that moves a feature, or a bit of one
NETWORKS = ("open_clip_torch", "timm", "torchvision")  # packages that hold the code of networks


def recipe(extractor: FeatureExtractor, convention: Convention, *, device: torch.device, batch_size: int, skip_bad: bool) -> str:
    """What moves a bit of what a network makes of given pictures, as text.

    The size of batches, threads and processor are of it: they move the last bits, and what is kept equals a new pass to the last bit.
    """
    processor = torch.cuda.get_device_name(device) if device.type == "cuda" else torch.backends.cpu.get_cpu_capability()
    about = {
        "format": FORMAT,
        "extractor": [extractor.name, extractor.dim, type(extractor).__module__, type(extractor).__qualname__],
        "identity": asdict(identity_of(extractor)),
        "convention": [convention.preprocessing, convention.logits_bias],
        "skip_bad": skip_bad,
        "batch_size": batch_size,
        "device": [device.type, processor, torch.get_num_threads()],
        "versions": {**versions(), **{name: _version(name) for name in NETWORKS}},
    }
    return json.dumps(about, sort_keys=True)


@dataclass(frozen=True)
class Address:
    """Where an entry is kept: `signature` is known without reading the files, the key says that it is of just their bytes."""

    recipe: str
    kind: str
    origin: Origin

    @property
    def signature(self) -> str:
        """Of names and sizes."""
        return self._digest([str(file.size) for file in self.origin.files])[:32]

    def key(self, digests: Sequence[str]) -> str:
        """Of names and bytes; `digests` are the sha256 of the files."""
        return self._digest(digests)

    def _digest(self, of_files: Sequence[str]) -> str:
        digest = hashlib.sha256(f"{self.kind} {self.recipe}".encode())
        for file, about in zip(self.origin.files, of_files, strict=True):
            digest.update(f"\0{file.name}\0{about}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
