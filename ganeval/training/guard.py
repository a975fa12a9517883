"""CollapseGuard: sees from the diversity of fakes, not from the losses, that a generator collapses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ganeval.metrics.coverage import coverage

K = 5
MAX_POINTS = 2000  # of each side: the distances between more of them say the same and cost more
FALL = 0.5  # a value under this share of its best so far is a collapse …
WORTH = {"coverage": 0.05, "spread": 0.25}  # … where the best was this at least: before that there is nothing to lose …
PATIENCE = 2  # … when it is so this many times in a row: one score may be bad luck
MIN_SPREAD = 0.25  # below this the fakes are nearly one picture, whatever they were before …
WARM_UP = 0.25  # … once this share of the run is done: all generators begin so


class Diversity(NamedTuple):
    """Of fakes, held against reals."""

    coverage: float  # share of reals with a fake near them, 0 to 1
    spread: float  # mean distance between two fakes over that between two reals; 1 is as diverse

    def to_dict(self) -> dict[str, float]:
        return {"coverage": self.coverage, "spread": self.spread}


def diversity(real: Tensor, fake: Tensor) -> Diversity:
    """Of features, float [num, dim]; both sides are cut to an equal number, at most MAX_POINTS."""
    number = min(len(real), len(fake), MAX_POINTS)
    real, fake = real[:number].float(), fake[:number].float()
    return Diversity(coverage(real, fake, k=min(K, number - 1)), _mean_distance(fake) / max(_mean_distance(real), 1e-12))


def _mean_distance(points: Tensor) -> float:
    return torch.pdist(points).mean().item()


class CollapseGuard:
    """Keeps the best diversity seen, and says when it is lost."""

    def __init__(self) -> None:
        self._best: dict[str, float] = {}
        self._below = 0

    def warning(self, found: Diversity, done: float) -> str | None:
        """A sentence when diversity is lost, or was never there, for two scores in a row; else None.

        `done` is the share of the run behind.
        """
        bests = {name: best for name, best in self._best.items() if best >= WORTH[name]}
        fallen = [name for name, value in found.to_dict().items() if value < FALL * bests.get(name, 0.0)]
        if done >= WARM_UP and found.spread < MIN_SPREAD and "spread" not in fallen:
            fallen.append("spread")
        for name, value in found.to_dict().items():
            self._best[name] = max(value, self._best.get(name, 0.0))
        self._below = self._below + 1 if fallen else 0
        if self._below < PATIENCE:
            return None
        values = ", ".join(f"{name} {found.to_dict()[name]:.2f} after {self._best[name]:.2f} at best" for name in fallen)
        return f"the generator collapses: {values}; the losses need not show it"

    def forgive(self) -> None:
        """Count anew, after the run went back to a checkpoint."""
        self._below = 0

    def state_dict(self) -> dict[str, float]:
        return {**self._best, "below": self._below}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        self._best = {name: value for name, value in state.items() if name != "below"}
        self._below = int(state["below"])
