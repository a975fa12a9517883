"""Progress of long work. The library is silent; the command line shows bars on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

Advance = Callable[[int], None]
Unit = Literal["images", "bytes"]
Progress = Callable[[str, int | None, Unit], AbstractContextManager[Advance]]
"""(what, total if known, unit) → a context that gives a function to call with how much was done."""


@contextmanager
def silent(what: str, total: int | None, unit: Unit) -> Iterator[Advance]:
    """Shows nothing."""
    yield lambda amount: None


@contextmanager
def bars(what: str, total: int | None, unit: Unit) -> Iterator[Advance]:
    """A bar on standard error, gone when the work is done."""
    from rich import progress
    from rich.console import Console

    amount = progress.DownloadColumn() if unit == "bytes" else progress.MofNCompleteColumn()
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), amount, progress.TimeRemainingColumn())
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)
