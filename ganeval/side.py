"""One side of a comparison: a set of images or of stats, measured, with its provenance and what a reader should know of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ganeval import catalog
from ganeval.errors import InputError
from ganeval.images import ImageSource, Seen, open_images
from ganeval.measured import Measured
from ganeval.metrics import METRICS
from ganeval.reference import Reference, holds_stats, load_reference
from ganeval.stats import FeatureStats


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What became of `real` or of `fake`."""

    label: Literal["real", "fake"]
    measured: Measured
    count: int | None  # None where a reference file does not say
    provenance: dict[str, Any]
    reference: Reference | None = None  # where the side was stats to begin with

    @classmethod
    def of_images(cls, label: Literal["real", "fake"], measured: Measured, source: ImageSource, seen: Seen) -> Side:
        provenance = {"source": source.kind, **seen.provenance(), "num_ignored": getattr(source, "num_ignored", 0)}
        return cls(label=label, measured=measured, count=seen.count, provenance=provenance)

    @classmethod
    def of_reference(cls, label: Literal["real", "fake"], reference: Reference) -> Side:
        measured = Measured(stats=reference.stats)
        return cls(label=label, measured=measured, count=reference.stats.count, provenance=reference.provenance(), reference=reference)

    def notes(self) -> Iterator[str]:
        """What a reader of the scores must know about this side."""
        label, stats = self.label, self.measured.stats
        if stats is not None and self.count is not None and self.count <= stats.dim:
            yield (
                f"{self.count:,} {label} images for {stats.dim:,} features: the covariance is singular, "
                "and the distance comes out too large; compare only scores of equal counts"
            )
        if self.reference is not None:
            if self.reference.made_with is None:
                by = "the index of references says" if self.reference.assumed else "nothing says otherwise"
                yield f"{self.reference.where} does not state how it was made: taken as of this extractor and convention, because {by}"
            return
        for what, number in self.provenance["remarks"].items():
            yield f"{number:,} {label} images: {what}"
        if self.provenance["num_skipped"]:
            number, first = self.provenance["num_skipped"], self.provenance["skipped"][:3]
            yield f"{number:,} bad {label} images were left out, as asked: {'; '.join(first)}{' …' if number > len(first) else ''}"
        if self.provenance["num_ignored"]:
            yield f"{self.provenance['num_ignored']:,} {label} files are no pictures by their name and were ignored"


def opened(source: Any, metrics: Sequence[str], *, num_images: int | None = None) -> ImageSource | Reference:
    """Stats where `source` is stats and they suffice for `metrics`, else a source of images.

    Raises:
        InputError: as `open_images` and `load_reference`; or stats where a metric needs images.
    """
    if num_images is not None and not callable(source):
        raise InputError(f"num_images says how many images a generator draws, but a {type(source).__name__} was given; leave it out")
    if isinstance(source, ImageSource):
        return source
    reference = _reference(source)
    if reference is None:
        return open_images(source, num_images=num_images)
    needing = [name for name in metrics if METRICS[name].needs != "stats"]
    if needing:
        raise InputError(f"{reference.where} holds stats, but {', '.join(needing)} needs the images themselves")
    return reference


def _reference(source: Any) -> Reference | None:
    if isinstance(source, Reference):
        return source
    if isinstance(source, FeatureStats):
        return Reference(stats=source, made_with=None)
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    if holds_stats(path):
        return load_reference(path)
    name = str(source)
    if path.exists() or name not in catalog.listed():
        return None
    entry = catalog.named(name)
    if not entry.path.exists():
        raise InputError(f"the reference {name} is not on this machine yet; run: ganeval stats fetch {name}")
    return load_reference(catalog.fetch(name), assumed=entry.convention)
