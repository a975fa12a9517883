"""Scores for Weights & Biases, in the run that the training has begun."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ganeval.errors import InputError
from ganeval.optional import package

STEP = "score/step"


class WandbLog:
    """As `score/<key>` over a step of their own: W&B drops what is logged for an earlier step than its last."""

    def __init__(self, folder: Path | None) -> None:
        self._wandb = package("wandb", extra="loggers", asked_by="the log 'wandb'")
        self._run = None

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        run = self._wandb.run
        if run is None:
            raise InputError("the log 'wandb' has no run to write to; call wandb.init(…) before the first score")
        if run is not self._run:
            self._run = run
            run.define_metric("score/*", step_metric=STEP)
        run.log({STEP: step, **{f"score/{name}": value for name, value in values.items()}}, commit=False)
