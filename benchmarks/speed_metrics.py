"""Rows of benchmarks/speed.py: the arithmetic of metrics against the code that others use for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.linalg
import torch

from ganeval.metrics.frechet import frechet_distance
from ganeval.stats import FeatureStats
from in_turn import Compared, in_turn, measured
from speed_setup import Row, Setup

DIM = 2048


def features(num: int, *, seed: int) -> torch.Tensor:
    """float32 [num, DIM] with a spectrum that decays as that of Inception features does."""
    rng = torch.Generator().manual_seed(seed)
    scale = torch.arange(1, DIM + 1) ** -0.5
    return torch.randn(num, DIM, generator=rng) * scale + seed / 100


def by_sqrtm(real: FeatureStats, fake: FeatureStats) -> float:
    """The distance as TTUR and pytorch-fid compute it."""
    first, second = real.covariance.numpy(), fake.covariance.numpy()
    root: Any = scipy.linalg.sqrtm(first @ second)
    shift = (real.mean - fake.mean).numpy()
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(root).real)


def frechet(num: int, target: float) -> Row:
    """The distance between stats of `num` images each."""

    def row(setup: Setup) -> list[Compared]:
        made = [FeatureStats.of(features(num, seed=seed)) for seed in (1, 2)]

        def fresh() -> list[FeatureStats]:  # a factor is kept with its stats: each run makes its own
            return [replace(one) for one in made]

        return in_turn(
            f"Fréchet distance, {num:,} × {DIM:,} a side",
            lambda: measured(lambda: frechet_distance(*fresh())),
            {"scipy sqrtm": lambda: measured(lambda: by_sqrtm(*fresh()))},
            targets={"scipy sqrtm": target},
            rounds=setup.rounds,
            warm=True,
        )

    return row


ROWS = {"frechet": frechet(10_000, 8), "frechet-few": frechet(1_000, 30)}
