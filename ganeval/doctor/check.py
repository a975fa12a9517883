"""What a check is: two sides in, findings out, each with the way to measure what it does to the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ganeval.doctor.finding import Finding, Severity
from ganeval.doctor.resampled import resampled
from ganeval.doctor.sample import Picture, Sample
from ganeval.doctor.scorer import Scorer

LISTED = 10  # files that a finding names
SURE = 4.0  # standard errors: of all that is looked for in a set, chance finds nothing
MANY = 0.01  # share of pictures from which on a fault of single pictures casts doubt on the score

Cure = Callable[[Scorer], float | None]  # the score without the fault less the score as it is; None where it cannot be had


class Found(NamedTuple):
    finding: Finding
    cure: Cure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What checks look at."""

    real: Sample
    fake: Sample | None  # None where one side is looked at by itself
    dim: int  # features of the network to be scored with
    network: str  # its name
    stored_order: bool  # whether the Inception Score is to be split in stored order
    scorer: Scorer | None  # None where nothing is measured

    def each(self) -> Iterator[tuple[Sample, Sample | None]]:
        """Each side, and the other one."""
        yield self.real, self.fake
        if self.fake is not None:
            yield self.fake, self.real

    def both(self) -> Iterator[tuple[Sample, Sample]]:
        """Each side and the other one, where there are two."""
        for one, other in self.each():
            if other is not None:
                yield one, other


Check = Callable[[Sides], Iterator[Found]]


def changed(sample: Sample, change: Callable[[Picture, Tensor], Tensor]) -> Cure:
    """By changing each picture of one side."""

    def shift(scorer: Scorer) -> float | None:
        return scorer.shift({sample.label: (change(one, one.image) for one in sample.kept if one.image is not None)})

    return shift


def resized(sample: Sample, size: tuple[int, int]) -> Cure:
    """By bringing each picture of one side to this width and height."""
    return changed(sample, lambda _, image: resampled(image, size))


def without(sample: Sample, left_out: Iterable[Picture]) -> Cure:
    """By leaving pictures of one side out."""
    positions = {one.position for one in left_out}

    def shift(scorer: Scorer) -> float | None:
        rest = [one.image for one in sample.kept if one.image is not None and one.position not in positions]
        return scorer.shift({sample.label: rest}) if len(rest) > 1 else None

    return shift


def listed(pictures: Sequence[Picture]) -> tuple[str, ...]:
    return tuple(one.name for one in pictures[:LISTED])


def more_often(count: int, of: int, other: int, of_other: int, *, least: float = 0.0) -> bool:
    """Whether something is found in a larger share than on the other side, by at least `least` and by more than chance."""
    share, of_others = count / of, other / of_other
    pooled = (count + other) / (of + of_other)
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_other))
    return share - of_others >= least and share - of_others > SURE * error


def by_share(share: float) -> Severity:
    return "doubtful" if share >= MANY else "notable"
