"""Entry: what one network made of one set of images, as a .safetensors file with a digest of every part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganeval.files import written_at_once
from ganeval.images import Seen
from ganeval.images.seen import Glance
from ganeval.measured import Measured, Need, Vectors
from ganeval.stats import FeatureStats

PARTS: Mapping[Need, tuple[str, ...]] = {
    "stats": ("mean", "scatter", "rows"),
    "sample": ("sample",),
    "features": ("features",),
    "logits": ("logits",),
    "spatial stats": ("spatial mean", "spatial scatter", "spatial rows"),
    "spatial sample": ("spatial sample",),
}


OPTIONAL = ("rows", "spatial rows")  # stats of more images than features have none


class Damaged(Exception):
    """A file that is not what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a pass left, and what it was asked for."""

    network: str
    seen: dict[str, Any]  # the provenance of the images
    glance: Glance
    classes: tuple[str, ...] | None
    answered: frozenset[str]  # the needs; a network without logits has answered for them too
    tensors: Mapping[str, Tensor]  # by the names in PARTS

    @classmethod
    def of(cls, network: str, measured: Measured, seen: Seen, needs: Collection[Need]) -> Entry:
        found: dict[str, Tensor | None] = {"sample": measured.sample, "features": measured.features, "logits": measured.logits}
        for prefix, vectors in (("", measured), ("spatial ", measured.spatial)):
            if vectors is not None and vectors.stats is not None:
                found |= {f"{prefix}{part}": getattr(vectors.stats, part) for part in ("mean", "scatter", "rows")}
        if measured.spatial is not None:
            found["spatial sample"] = measured.spatial.sample
        tensors = {name: tensor.contiguous() for name, tensor in found.items() if tensor is not None}
        answered = frozenset(_own(needs))
        return cls(
            network=network, seen=seen.provenance(), glance=seen.glance, classes=measured.classes, answered=answered, tensors=tensors
        )

    def measured(self, needs: Collection[Need]) -> Measured:
        """What a pass for these needs leaves."""
        wanted = _own(needs)
        parts = {name: self.tensors.get(name) for need in wanted for name in PARTS[need]}
        spatial = None
        if any(name.startswith("spatial") and tensor is not None for name, tensor in parts.items()):
            spatial = Vectors(stats=self._stats(parts, "spatial "), sample=parts.get("spatial sample"))
        return Measured(
            stats=self._stats(parts, ""),
            features=parts.get("features"),
            sample=parts.get("sample"),
            logits=parts.get("logits"),
            spatial=spatial,
            classes=self.classes,
        )

    def __or__(self, other: Entry) -> Entry:
        """Both together; of the same images and network."""
        return Entry(
            network=self.network,
            seen=self.seen,
            glance=self.glance,
            classes=self.classes,
            answered=self.answered | other.answered,
            tensors={**self.tensors, **other.tensors},
        )

    def write(self, path: Path, key: str) -> None:
        """The file, at once or not at all.

        Raises:
            OSError, SafetensorError: it cannot be written.
        """
        from safetensors.torch import save_file

        classes = sorted(set(self.classes)) if self.classes is not None else None
        tensors = {**self.tensors, "digests": torch.from_numpy(self.glance.digests.copy())}
        if self.classes is not None and classes is not None:
            number = {name: i for i, name in enumerate(classes)}
            tensors["classes"] = torch.tensor([number[name] for name in self.classes], dtype=torch.int32)
        about = {
            "key": key,
            "network": self.network,
            "seen": self.seen,
            "sizes": self.glance.sizes,
            "endings": self.glance.endings,
            "classes": classes,
            "answered": sorted(self.answered),
            "digests": {name: _digest(tensor) for name, tensor in tensors.items()},
        }
        text = json.dumps(about)
        with written_at_once(path) as file:
            save_file(tensors, file.name, {"about": text, "sha256": hashlib.sha256(text.encode()).hexdigest()})

    @classmethod
    def read(cls, path: Path, key: str, needs: Collection[Need] | None = None) -> Entry:
        """What `write` wrote: of the tensors those for `needs`, all for None.

        Raises:
            OSError: no such file, or one that cannot be read.
            Damaged: other bytes than were written.
        """
        from safetensors import SafetensorError, safe_open

        wanted = None if needs is None else {"classes", "digests", *(name for need in _own(needs) for name in PARTS[need])}
        try:
            with safe_open(path, framework="pt") as file:
                about = _about(file.metadata())
                if about["key"] != key:
                    raise Damaged(path)
                tensors = {}
                for name, digest in about["digests"].items():
                    if wanted is None or name in wanted:
                        # A copy: aligned as torch has it, for the same bits from every library, and not of a file that may go away.
                        tensors[name] = file.get_tensor(name).clone()
                        if _digest(tensors[name]) != digest:
                            raise Damaged(path)
            glance = Glance(tensors.pop("digests").numpy(), about["sizes"], about["endings"])
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise Damaged(path) from error
        numbers = tensors.pop("classes", None)
        classes = None if numbers is None else tuple(about["classes"][number] for number in numbers.tolist())
        seen, answered = about["seen"], frozenset(about["answered"])
        return cls(network=about["network"], seen=seen, glance=glance, classes=classes, answered=answered, tensors=tensors)

    def _stats(self, parts: Mapping[str, Tensor | None], prefix: str) -> FeatureStats | None:
        mean, scatter, rows = (parts.get(f"{prefix}{part}") for part in ("mean", "scatter", "rows"))
        return None if mean is None or scatter is None else FeatureStats(self.seen["count"], mean, scatter, rows)


def answerable(entry: Entry, needs: Collection[Need], *, lenient: bool) -> bool:
    """Whether no pass is needed. What a network cannot answer is an error unless `lenient`, and the pass is what raises it."""
    own = _own(needs)
    return own <= entry.answered and (lenient or all(name in entry.tensors for need in own for name in PARTS[need] if name not in OPTIONAL))


def about_file(path: Path) -> dict[str, Any]:
    """What a file says of itself, without its tensors.

    Raises:
        OSError, Damaged: it cannot be read, or is none of ours.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return _about(file.metadata())
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Damaged(path) from error


def _about(metadata: Mapping[str, str]) -> dict[str, Any]:
    if hashlib.sha256(metadata["about"].encode()).hexdigest() != metadata["sha256"]:
        raise ValueError("another header than was written")
    about: dict[str, Any] = json.loads(metadata["about"])
    return about


def _own(needs: Collection[Need]) -> set[Need]:
    """Needs that tensors answer, as `Rows` has them: with all features there is no sample of them; classes are always kept."""
    return {need for need in needs if need in PARTS and not (need == "sample" and "features" in needs)}


def _digest(tensor: Tensor) -> str:
    digest = hashlib.sha256(f"{tensor.dtype} {list(tensor.shape)} ".encode())
    digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
