"""First look: what the pass that scores images can tell of faults in them, as notes. `ganeval doctor` looks closer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ganeval.images.seen import Glance

LOSSY = {".jpg", ".jpeg", ".jpe", ".jfif"}
MOST, FEW = 0.5, 0.1  # shares of files: a set of JPEGs, and one with hardly any
CLOSER = "; ganeval doctor says which and what it does to the score"


def within(label: str, glance: Glance) -> Iterator[str]:
    """Of one side."""
    surplus = len(glance.digests) - len(np.unique(glance.digests))
    if surplus:
        yield f"{surplus:,} of {len(glance.digests):,} {label} images equal another of them{CLOSER}"


def between(real: Glance, fake: Glance) -> Iterator[str]:
    """Of one side against the other."""
    leaked = int(np.isin(fake.digests, real.digests).sum())
    if leaked:
        yield f"{leaked:,} of {len(fake.digests):,} fakes equal a real, pixel by pixel{CLOSER}"
    usual = [_usual(side.sizes) for side in (real, fake)]
    if None not in usual and usual[0] != usual[1]:
        yield f"the reals are {usual[0]} pixels and the fakes {usual[1]}: how sharp they are differs whatever they show{CLOSER}"
    if _lossy(fake) > MOST and real.endings and _lossy(real) < FEW:
        yield f"the fakes are JPEG files and the reals are not: the compression counts as a difference{CLOSER}"


def _usual(sizes: Mapping[str, int]) -> str | None:
    """The size of most images; None where no size is that of most."""
    most = max(sizes, key=lambda size: sizes[size], default=None)
    return most if most is not None and sizes[most] > MOST * sum(sizes.values()) else None


def _lossy(glance: Glance) -> float:
    return sum(count for ending, count in glance.endings.items() if ending in LOSSY) / max(sum(glance.endings.values()), 1)
