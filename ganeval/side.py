"""One side of a comparison: a set of images or of stats, measured, with its provenance and what a reader should know of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganeval import catalog, first_look
from ganeval.errors import InputError
from ganeval.images import ImageSource, Seen, open_images
from ganeval.images.seen import Glance
from ganeval.measured import Measured
from ganeval.metrics import Label, Settings
from ganeval.plan import Plan, Planned
from ganeval.reference import Reference, holds_stats, load_reference
from ganeval.stats import FeatureStats

MISSING = {
    "real": "compares with reals; name a set of real images",
    "fake": "needs fakes; name a set of images",
    "held-out": "needs real images that the generator was not trained on; name them with --held-out (held_out=)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What became of the reals, of the fakes or of the held-out reals."""

    label: Label
    measured: Mapping[str, Measured]  # by each network that it went through
    count: int | None  # None where a reference file does not say
    provenance: dict[str, Any]
    plan: Plan  # what it was measured for
    glance: Glance | None = None  # of images
    reference: Reference | None = None  # where the side was stats to begin with
    source: ImageSource | None = None  # where features are kept: what they are of, to be looked at again

    @classmethod
    def of_images(
        cls, label: Label, measured: Mapping[str, Measured], source: ImageSource, seen: Seen, plan: Plan, *, keep: bool = False
    ) -> Side:
        """`keep` keeps the source too."""
        provenance = {
            "source": source.kind,
            **seen.provenance(),
            "num_ignored": getattr(source, "num_ignored", 0),
            **getattr(source, "about", {}),
        }
        kept = source if keep else None
        return cls(label=label, measured=measured, count=seen.count, provenance=provenance, plan=plan, glance=seen.glance, source=kept)

    @classmethod
    def of_reference(cls, label: Label, reference: Reference, plan: Plan) -> Side:
        measured = {name: Measured(stats=reference.stats) for name in plan.networks}
        provenance = reference.provenance()
        return cls(label=label, measured=measured, count=reference.stats.count, provenance=provenance, plan=plan, reference=reference)

    def notes(self) -> Iterator[str]:
        """What a reader of the scores must know about this side."""
        label = self.label
        for measured in self.measured.values():
            if measured.stats is not None and self.count is not None and self.count <= measured.stats.dim:
                yield (
                    f"{self.count:,} {label} images for {measured.stats.dim:,} features: the covariance is singular, "
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
        if self.glance is not None:
            yield from first_look.within(self.label, self.glance)


def opened(source: Any, *, num_images: int | None = None) -> ImageSource | Reference:
    """The stats that `source` is or names, else a source of images.

    Raises:
        InputError: as `open_images` and `load_reference`.
    """
    if num_images is not None and not callable(source):
        raise InputError(f"num_images says how many images a generator draws, but a {type(source).__name__} was given; leave it out")
    if isinstance(source, ImageSource):
        return source
    return _reference(source) or open_images(source, num_images=num_images)


def check_side(one: Planned, label: Label, source: ImageSource | Reference | None, settings: Settings) -> None:
    """Refuse what can be refused before images are worked through.

    Raises:
        InputError: a side that a score needs is missing, is stats where images are needed, or has too few images.
    """
    needs = one.metric.needs.get(label)
    if needs is None:
        return
    if source is None:
        raise InputError(f"{one.key} {MISSING[label]}")
    if isinstance(source, Reference):
        if needs != {"stats"}:
            raise InputError(f"{source.where} holds stats, but {one.key} needs the images themselves")
        if label == "fake" and settings.spread and one.metric.for_error:
            raise InputError(f"{source.where} holds stats, but a standard error needs the images themselves; leave the error bars out")
        return
    check_count(one, label, source.num_images, settings)


def check_offered(one: Planned, side: Side) -> None:
    """Refuse a metric of something that its network does not offer.

    Raises:
        InputError: no class logits, or no spatial features.
    """
    needs, measured = one.metric.needs.get(side.label, frozenset()), side.measured[one.extractor]
    if "logits" in needs and measured.logits is None:
        raise InputError(f"the extractor {one.extractor} has no class logits")
    if "spatial stats" in needs and measured.spatial is None:
        raise InputError(f"the extractor {one.extractor} has no spatial features")


def check_held_out(one: Planned, sides: Mapping[Label, Side]) -> None:
    """Refuse held-out images that are the real ones: what looks for copies would find that held-out pictures are.

    Raises:
        InputError: they are the same.
    """
    if "held-out" in one.metric.needs:
        real, held_out = (sides[label].provenance["pixels_sha256"] for label in ("real", "held-out"))
        if real == held_out:
            raise InputError("the held-out images are the real ones; hold out images that the generator was not trained on")


def check_count(one: Planned, label: Label, count: int | None, settings: Settings) -> None:
    """Refuse too few images.

    Raises:
        InputError: naming the metric, what it needs and what it was given.
    """
    fewest = one.metric.fewest(settings)
    if count is not None and count < fewest and label in one.metric.needs:
        choose = {"kid": f", or choose a subset size of at most {count}", "is": f", or choose at most {count} splits"}.get(one.name, "")
        raise InputError(f"{one.key} needs at least {fewest:,} {label} images, got {count:,}; add images, or leave it out{choose}")


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
