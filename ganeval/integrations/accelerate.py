"""A Monitor for loops with Hugging Face accelerate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ganeval.monitor import Log, Monitor


class AcceleratorLog:
    """Scores for the trackers that `accelerator.init_trackers` began, as `score/<key>`."""

    def __init__(self, accelerator: Any) -> None:
        self._accelerator = accelerator

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        self._accelerator.log({f"score/{name}": value for name, value in values.items()}, step=step)


def accelerated_monitor(accelerator: Any, real: Any = None, *, log: str | Log | Iterable[str | Log] = (), **options: Any) -> Monitor:
    """A `Monitor` on the accelerator's device that also logs to its trackers, and is in what `accelerator.save_state` saves.

    Every process makes one and calls it; the main process scores. Nets that `accelerator.prepare` has wrapped draw as they are.

    Args:
        accelerator: `accelerate.Accelerator`.
        log: further logs; as for `Monitor`.
        real, options: as for `Monitor`.

    Raises:
        InputError: as `Monitor`.
    """
    others: Iterable[str | Log] = (log,) if isinstance(log, str) or callable(log) else log
    monitor = Monitor(real, log=(*others, AcceleratorLog(accelerator)), **{"device": accelerator.device, **options})
    accelerator.register_for_checkpointing(monitor)
    return monitor
