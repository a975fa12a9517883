"""TensorBoard events, where tensorboard is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path


class EventWriter:
    """Scalars of a run for TensorBoard: `tensorboard --logdir runs`."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def add(self, step: int, values: Mapping[str, float], kind: str) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{kind}/{name}", value, step)
        self._writer.flush()


def event_writer(folder: Path) -> EventWriter | None:
    """None where tensorboard is not installed."""
    return EventWriter(folder) if find_spec("tensorboard") is not None else None
