"""A sample of one side: some of its pictures, picked by chance, what each of them shows, and which files of the whole side are equal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
from torch import Tensor

from ganeval.doctor.equal_files import contents, shared_sizes
from ganeval.doctor.pixels import Pixels, pixels_of
from ganeval.errors import InputError, printable
from ganeval.images import ImageSource
from ganeval.images.about import About, about
from ganeval.images.ahead import Share, ahead
from ganeval.images.decode import BadImage, decode
from ganeval.images.encoded import MAX_BYTES, EncodedImages, Entry
from ganeval.images.seen import Diary, pixel_digest
from ganeval.progress import Advance, Progress, silent

KEPT_BYTES = 2**30  # of pixels of one side; of larger pictures fewer are kept to measure with, all are looked at
AHEAD = 64  # pictures that may wait
LOOK_BYTES = 30  # that looking at a picture takes for each pixel

Label = Literal["real", "fake"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of the sample."""

    position: int  # in the whole side
    name: str
    size: tuple[int, int]  # width, height
    digest: bytes  # of the pixels
    pixels: Pixels
    about: About | None = None  # None where there is no file
    entry: Entry | None = None
    image: Tensor | None = None  # uint8 [3, height, width], of those kept to measure with


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Some pictures of one side, in its order."""

    label: Label
    where: str  # the side, for messages
    num_images: int  # in the whole side
    pictures: Sequence[Picture]
    bad: Sequence[str] = ()  # those of the sample that cannot be used, as "name: why"
    names: Sequence[str] = ()  # of all pictures of the side; empty where they have none
    classes: Sequence[str] | None = None  # of all, where they are stated
    copies: Mapping[str, Sequence[int]] = field(default_factory=dict)  # content → positions in the whole side, of files of one content

    @property
    def kept(self) -> list[Picture]:
        """Those to measure with."""
        return [one for one in self.pictures if one.image is not None]

    def share(self, chosen: Sequence[Picture]) -> float:
        return len(chosen) / len(self.pictures)

    def name_of(self, position: int) -> str:
        return printable(self.names[position]) if self.names else f"image {position} (from 0, in order)"


class Wanted(NamedTuple):
    """One side that is to be sampled."""

    label: Label
    source: ImageSource


def sampled(sides: Sequence[Wanted], *, number: int, seed: int, progress: Progress = silent) -> list[Sample]:
    """A sample of each side; of picture files only those in it are decoded.

    Raises:
        InputError: no picture of the sample can be used, or a source that gives no images.
    """
    several = shared_sizes(entry for _, source in sides if isinstance(source, EncodedImages) for entry in source.entries)
    found = []
    for label, source in sides:
        with progress(f"looking at the {label}s", min(number, source.num_images or number), "images") as advance:
            rng = np.random.default_rng(seed)
            if isinstance(source, EncodedImages):
                found.append(_of_files(label, source, number, rng, advance))
            else:
                found.append(_of_batches(label, source, number, rng, advance))
        if not found[-1].pictures:
            raise InputError(f"none of {len(found[-1].bad)} pictures of {source.where} can be used; the first is {found[-1].bad[0]}")
        if isinstance(source, EncodedImages):
            found[-1] = replace(found[-1], copies=contents(source.entries, several))
    return found


def _picked(total: int, number: int, rng: np.random.Generator) -> list[int]:
    return sorted(rng.choice(total, min(number, total), replace=False).tolist())


def _of_files(label: Label, source: EncodedImages, number: int, rng: np.random.Generator, advance: Advance) -> Sample:
    positions = _picked(len(source.entries), number, rng)
    names = [entry.name for entry in source.entries]
    pictures, bad = [], []
    keep = Keep()
    looked_at = ahead(_looked_at, [source.entries[position] for position in positions], count=AHEAD, size=_size)
    for position, (_, found) in zip(positions, looked_at, strict=True):
        if isinstance(found, Picture):
            pictures.append(replace(found, position=position))
            keep.add(pictures)
        else:
            bad.append(f"{printable(names[position])}: {found}")
        advance(1)
    return Sample(label=label, where=source.where, num_images=len(names), pictures=pictures, bad=bad, names=names, classes=_classes(names))


def _looked_at(entry: Entry, share: Share) -> Picture | str:
    try:
        if entry.size > MAX_BYTES:
            return f"{entry.size:,} bytes, over the limit of {MAX_BYTES:,} for one picture"
        share.take(entry.size)
        data = entry.read()
        image, digest, _ = decode(data, take=share.take)
        share.take(2 * len(data) + image[0].numel() * LOOK_BYTES)
        return _picture(image, digest, printable(entry.name), about=about(data), entry=entry)
    except BadImage as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _size(found: Picture | str) -> int:
    return found.image.numel() if isinstance(found, Picture) and found.image is not None else 0


def _picture(image: Tensor, digest: bytes, name: str, *, about: About | None = None, entry: Entry | None = None) -> Picture:
    size = image.shape[2], image.shape[1]
    return Picture(position=0, name=name, size=size, digest=digest, pixels=pixels_of(image), about=about, entry=entry, image=image)


class Keep:
    """Keeps the images of every picture, then of every second, every fourth … so that they stay under KEPT_BYTES."""

    def __init__(self) -> None:
        self._step, self._bytes = 1, 0

    def add(self, pictures: list[Picture]) -> None:
        """The last of them is new."""
        image = pictures[-1].image
        assert image is not None
        if (len(pictures) - 1) % self._step:
            pictures[-1] = replace(pictures[-1], image=None)
            return
        self._bytes += image.numel()
        while self._bytes > KEPT_BYTES and len(pictures) > self._step:
            self._step *= 2
            for i, one in enumerate(pictures):
                if i % self._step and one.image is not None:
                    self._bytes -= one.image.numel()
                    pictures[i] = replace(one, image=None)


def _of_batches(label: Label, source: ImageSource, number: int, rng: np.random.Generator, advance: Advance) -> Sample:
    """From a pass over all; where the length is not known before, each image replaces one of the sample by chance (Vitter 1985)."""
    total = source.num_images
    chosen = None if total is None else set(_picked(total, number, rng))
    held: dict[int, tuple[int, Tensor]] = {}  # place → position, image
    diary, position = Diary(), 0
    for batch in source.batches(diary, batch_size=32, skip_bad=True):
        for image in batch:
            place = position if position < number or chosen is not None else int(rng.integers(position + 1))
            if place < number if chosen is None else position in chosen:
                held[place] = position, image.clone()
                advance(1)
            position += 1
    pictures: list[Picture] = []
    keep = Keep()
    for place, image in sorted(held.values(), key=lambda one: one[0]):
        plain = image.cpu().contiguous()
        pictures.append(replace(_picture(plain, pixel_digest(plain), f"image {place} (from 0, in order)"), position=place))
        keep.add(pictures)
    copies: dict[str, list[int]] = defaultdict(list)
    for place, (digest, *_) in enumerate(diary.calls):
        copies[digest.hex()].append(place)
    return Sample(
        label=label, where=source.where, num_images=diary.count, pictures=pictures, bad=diary.skipped, classes=diary.classes, copies=copies
    )


def _classes(names: Sequence[str]) -> list[str] | None:
    return [name.partition("/")[0] for name in names] if all("/" in name for name in names) else None
