"""Pictures that lie sorted by what they show, which moves an Inception Score that is split in stored order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ganeval.doctor.check import Found, Sides
from ganeval.doctor.finding import Finding
from ganeval.doctor.sample import Sample
from ganeval.doctor.scorer import Scorer
from ganeval.metrics.inception_score import inception_score

SPLITS = 10
EACH = 20  # pictures that a split needs at least
LOWER = 0.8  # the score in stored order, as a share of the shuffled one
SHUFFLES = 5


def class_sorted(sides: Sides) -> Iterator[Found]:
    """Fakes in the order of their classes. Folders of classes always lie so: that is said only where the order is used."""
    fake = sides.fake
    if fake is None or (_in_folders(fake) and not sides.stored_order):
        return
    scores = None if sides.scorer is None else _scores(sides.scorer)
    stated = fake.classes is not None and _sorted(fake.classes)
    if not stated and (scores is None or scores[0] > LOWER * scores[1]):
        return
    measured = "" if scores is None else ": {stored:.3g} instead of {shuffled:.3g} on this sample, with the network measured with"
    yield Found(
        Finding(
            check="class-sorted",
            severity="doubtful" if sides.stored_order else "notable",
            where="fake",
            sentence="the fakes lie sorted by what they show: an Inception Score split in stored order comes out lower" + measured,
            remedy="shuffle them when they are saved, or score with a convention that shuffles, as the default does",
            values={} if scores is None else {"stored": scores[0], "shuffled": scores[1]},
        )
    )


def _in_folders(sample: Sample) -> bool:
    return bool(sample.names) and sample.classes is not None


def _sorted(classes: Sequence[str]) -> bool:
    """Whether each class is one run, and there are several of several images."""
    runs = [name for name, _ in groupby(classes)]
    return 1 < len(runs) == len(set(runs)) and len(classes) >= 2 * len(runs)


def _scores(scorer: Scorer) -> tuple[float, float] | None:
    """The Inception Score in stored order, and shuffled; None where the network has no classes or the fakes are too few."""
    logits = scorer.measured("fake").logits
    if logits is None or len(logits) < EACH * SPLITS:
        return None
    shuffled = [inception_score(logits, num_splits=SPLITS, seed=seed).value for seed in range(SHUFFLES)]
    return inception_score(logits, num_splits=SPLITS, order="stored").value, sum(shuffled) / SHUFFLES
