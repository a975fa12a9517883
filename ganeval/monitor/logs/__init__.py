"""Where scores are written down: one file for each kind of log, and any callable of somebody's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ganeval.errors import InputError, nearest
from ganeval.monitor.logs.csv import CSVLog
from ganeval.monitor.logs.tensorboard import TensorBoardLog
from ganeval.monitor.logs.wandb import WandbLog


class Log(Protocol):
    """Called with each score, in the first process."""

    def __call__(self, step: int, values: Mapping[str, float], /) -> None: ...


LOGS: Mapping[str, Callable[[Path | None], Log]] = MappingProxyType({"csv": CSVLog, "tensorboard": TensorBoardLog, "wandb": WandbLog})


def opened_logs(chosen: str | Log | Iterable[str | Log] | None, folder: Path | None) -> list[Log]:
    """Logs by name or as they are; None is a CSV where there is a folder.

    Raises:
        InputError: no log of that name, a package that is not installed, or no folder for a log that needs one.
    """
    if chosen is None:
        chosen = ("csv",) if folder is not None else ()
    if isinstance(chosen, str) or callable(chosen):
        chosen = (chosen,)
    return [_named(one)(folder) if isinstance(one, str) else one for one in chosen]


def _named(name: str) -> Callable[[Path | None], Log]:
    if name not in LOGS:
        raise InputError(f"there is no log {name!r}; {nearest(name, LOGS)}, or give a function of step and values")
    return LOGS[name]
