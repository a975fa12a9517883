"""Plan: the names of metrics that a user asks for → which metric on which network, and what stands in the way of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ganeval.errors import InputError, nearest
from ganeval.extractors import available
from ganeval.measured import Need
from ganeval.metrics import METRICS, Label, Metric, Settings, score_key

Names = Sequence[str] | Literal["all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One score that is to be computed."""

    key: str  # what the score is called
    name: str  # of the row of METRICS
    extractor: str  # whose features it is of

    @property
    def metric(self) -> Metric:
        return METRICS[self.name]


@dataclass(slots=True)
class Plan:
    """Scores to compute. Where all that is possible was asked for, what proves impossible moves to `left_out`; else it raises."""

    scores: list[Planned]
    lenient: bool
    left_out: dict[str, str] = field(default_factory=dict)  # key → why

    def sift(self, check: Callable[[Planned], None]) -> Plan:
        """The plan without the scores that `check` raises InputError for.

        Raises:
            InputError: that of the check, if the plan is not lenient or nothing would be left.
        """
        kept, left_out = [], dict(self.left_out)
        for one in self.scores:
            try:
                check(one)
            except InputError as error:
                if not self.lenient:
                    raise
                left_out[one.key] = str(error)
            else:
                kept.append(one)
        if not kept:
            most = Counter(left_out.values()).most_common(1)[0][0]
            raise InputError(f"no metric can be computed here. In the way of most: {most}")
        return Plan(kept, self.lenient, left_out)

    def needs(self, label: Label, settings: Settings) -> dict[str, set[Need]]:
        """What extraction must keep of one side, for each network that the side must go through."""
        found: dict[str, set[Need]] = {}
        for one in self.scores:
            if (wanted := one.metric.needs_of(label, settings)) and not one.metric.paired:
                found.setdefault(one.extractor, set()).update(wanted)
        return found

    def of(self, label: Label) -> list[Planned]:
        """The scores that need this side."""
        return [one for one in self.scores if label in one.metric.needs]

    @property
    def networks(self) -> list[str]:
        return list(dict.fromkeys(one.extractor for one in self.scores))


def planned(names: Names, extractor: str | None) -> Plan:
    """What the names stand for, without repetition.

    Args:
        names: each a key of METRICS, or the key of a score of another network (`fd_tiny`, `precision_vgg16`, `kd_clip`);
            "all" is every row of METRICS that the sets and the machine allow, but for those of pairs, which no set is known to be.
        extractor: the network for names that state none; None is each metric's own.

    Raises:
        InputError: no name at all, or one that nobody knows.
    """
    lenient = "all" in names
    if lenient:
        names = [
            *(name for name in METRICS if not METRICS[name].paired),
            *(name for name in names if name != "all" and not isinstance(names, str)),
        ]
    if isinstance(names, str) or not names:
        raise InputError(f'metrics are a list of names or "all", got {names!r}; `ganeval metrics` prints them')
    found = {one.key: one for one in _named(names, extractor)}
    return Plan(list(found.values()), lenient)


def _named(names: Iterable[str], extractor: str | None) -> Iterable[Planned]:
    networks = [*available(), *([extractor] if extractor else [])]
    by_key = {
        score_key(name, network): (name, network) for network in networks for name in reversed(list(METRICS)) if not METRICS[name].paired
    }
    for name in names:
        if name in METRICS:
            row, network = name, METRICS[name].network if METRICS[name].paired or not extractor else extractor
        elif name in by_key:
            row, network = by_key[name]
        else:
            raise InputError(f"no metric is called {name!r}; {nearest(name, METRICS)}, all, or on another network such as fd_tiny")
        yield Planned(key=score_key(row, network), name=row, extractor=network)
