"""Scores as TensorBoard events: `tensorboard --logdir FOLDER`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ganeval.errors import InputError
from ganeval.optional import package
from ganeval.training.events import EventWriter


class TensorBoardLog:
    """As `score/<key>`, beside what the training writes there itself."""

    def __init__(self, folder: Path | None) -> None:
        if folder is None:
            raise InputError("the log 'tensorboard' needs a place; name it with folder=")
        package("tensorboard", extra="loggers", asked_by="the log 'tensorboard'")
        self._folder = folder
        self._events: EventWriter | None = None

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        self._events = self._events or EventWriter(self._folder)
        self._events.add(step, values, "score")
