"""One pass over a source by a team: each process goes through a part, and the first has what a single process would have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ganeval.errors import InputError
from ganeval.extract import measure
from ganeval.extractors.protocol import FeatureExtractor
from ganeval.images import ImageSource, Seen
from ganeval.images.cut import bounds, divisible, listing_sha256
from ganeval.images.seen import BadImages, Call, Diary, bad_images, seen_of
from ganeval.measured import Measured, Need
from ganeval.pairing import Pairing
from ganeval.team import TOLD, Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is left of some images of a source; the part that comes next can be added."""

    measured: Mapping[str, Measured] = field(default_factory=dict)  # by network; empty of no images
    calls: list[Call] = field(default_factory=list)  # of `Seen.add`
    bad: list[str] = field(default_factory=list)  # pictures that cannot be used, as "name: why"
    listing: str | None = None  # the digest of all that the process finds in the source, not in the part only

    def __add__(self, other: Part) -> Part:
        """Both parts together.

        Raises:
            InputError: they are of different sets, or went through different networks, as where machines do not hold the same files.
        """
        if self.listing and other.listing and self.listing != other.listing:
            raise InputError("the processes do not find the same images; put the same files where each of them looks")
        if self.calls and other.calls and self.measured.keys() != other.measured.keys():
            odd = ", ".join(sorted(self.measured.keys() ^ other.measured.keys()))
            raise InputError(f"not all processes have {odd}; put the weights on each machine, or leave its metrics out")
        measured = {
            name: self.measured[name] + other.measured[name] if name in self.measured and name in other.measured else found
            for name, found in {**self.measured, **other.measured}.items()
        }
        listing = self.listing or other.listing
        return Part(measured=measured, calls=self.calls + other.calls, bad=self.bad + other.bad, listing=listing)

    def whole(self, source: ImageSource, *, skip_bad: bool) -> tuple[dict[str, Measured], Seen]:
        """As `measure` returns it, where this is all of `source`.

        Raises:
            InputError: bad pictures, as a single process would raise it.
        """
        if self.bad and not (skip_bad and self.calls):
            raise bad_images(source.where, self.bad, source.num_images or 0)
        seen = seen_of(self.calls, self.bad)
        measured = {name: one if one.pairs else replace(one, classes=seen.classes) for name, one in self.measured.items()}
        return measured, seen


def measured_together(
    team: Team,
    source: ImageSource,
    extractors: Mapping[str, FeatureExtractor],
    *,
    needs: Mapping[str, Collection[Need]],
    batch_size: int = 32,
    skip_bad: bool = False,
    pairing: Pairing | None = None,
    **options: Any,
) -> tuple[dict[str, Measured], Seen]:
    """`measure`, each process of the team going through a part of the source; pairs, which must stay in step, the first alone.

    In the first process the result is that of `measure`. In the others nothing is measured, and what was seen has only its count.

    Raises:
        InputError: in the first process, as `measure`, whichever process met it; or a source that cannot be cut.
        Ended: in the others.
    """
    options |= {"needs": needs, "batch_size": batch_size, "skip_bad": skip_bad, "pairing": pairing}
    if team.size == 1:
        return measure(source, extractors, **options)
    part, error = Part(), None
    try:
        if pairing is None:
            part = _own_part(team, source, extractors, **options)
        elif team.is_first:
            part = _part(source, extractors, first=0, **options)
    except TOLD as found:
        error = found
    whole = team.folded(part, lambda total: total.whole(source, skip_bad=skip_bad), error=error)
    count = team.told(0 if whole is None else whole[1].count)
    if whole is not None:
        return whole
    seen = Seen()
    seen.count = count
    return {name: Measured() for name in extractors}, seen


def _own_part(team: Team, source: ImageSource, extractors: Mapping[str, FeatureExtractor], *, batch_size: int, **options: Any) -> Part:
    whole = divisible(source)
    own = bounds(whole.num_images or 0, team.rank, team.size, batch_size=batch_size)
    part = Part()
    if own:
        part = _part(whole.part(own.start, own.stop), extractors, first=own.start, batch_size=batch_size, **options)
    return replace(part, listing=listing_sha256(whole))


def _part(source: ImageSource, extractors: Mapping[str, FeatureExtractor], *, first: int, **options: Any) -> Part:
    seen = Diary(first=first)
    try:
        measured, _ = measure(source, extractors, seen=seen, **options)
    except BadImages as error:  # counted with those of the other parts
        return Part(bad=list(error.bad))
    return Part(measured=measured, calls=seen.calls, bad=seen.skipped)
