"""Rows of benchmarks/speed.py: the arithmetic of metrics against the code that others use for it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import prdc
import scipy.linalg
import torch

from ganeval.conventions import DEFAULT, convention_named
from ganeval.measured import Measured
from ganeval.metrics import METRICS, Sets, Settings
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.manifold import NAEEM
from ganeval.stats import FeatureStats
from in_turn import Compared, in_turn, measured
from speed_setup import Row, Setup

DIM = 2048
NAMES = ("prdc_precision", "prdc_recall", "density", "coverage")  # at k = 5, as the package prdc has it


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


def neighborhoods(num: int, target: float) -> Row:
    """Precision, recall, density and coverage of `num` images a side, as a report holds them and without their errors."""

    def row(setup: Setup) -> list[Compared]:
        real, fake = (features(num, seed=seed) for seed in (1, 2))

        def ours(*, spread: bool) -> torch.Tensor:
            sets = Sets(real=Measured(features=real), fake=Measured(features=fake))
            settings = Settings(convention=convention_named(DEFAULT))
            scores = [METRICS[name].score(sets, settings, spread)[""] for name in NAMES]
            return torch.tensor([score.value for score in scores], dtype=torch.float64)

        def theirs() -> torch.Tensor:
            with contextlib.redirect_stdout(None):
                found = prdc.compute_prdc(real.numpy(), fake.numpy(), nearest_k=NAEEM.k)
            return torch.tensor([found[name] for name in ("precision", "recall", "density", "coverage")], dtype=torch.float64)

        return [
            compared
            for what, spread in (("values", False), ("values and errors", True))
            for compared in in_turn(
                f"precision, recall, density, coverage, {num:,} × {DIM:,} a side: {what}",
                partial(measured, partial(ours, spread=spread)),
                {"prdc": lambda: measured(theirs)},
                targets=None if spread else {"prdc": target},
                rounds=setup.rounds,
            )
        ]

    return row


ROWS = {"frechet": frechet(10_000, 8), "frechet-few": frechet(1_000, 30), "prdc": neighborhoods(10_000, 5)}
