"""Progress of long work. The library is silent; the command line shows bars, or lines in a log, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from ganeval.errors import printable

if TYPE_CHECKING:
    from rich.progress import Task

Advance = Callable[[int], None]
Unit = Literal["images", "bytes"]
Progress = Callable[[str, int | None, Unit], AbstractContextManager[Advance]]
"""(what, total if known, unit) → a context that gives a function to call with how much was done."""

LINE_EVERY = 10.0  # seconds between two lines in a log; work that is done earlier has none


@contextmanager
def silent(what: str, total: int | None, unit: Unit) -> Iterator[Advance]:
    """Shows nothing."""
    yield lambda amount: None


@contextmanager
def bars(what: str, total: int | None, unit: Unit) -> Iterator[Advance]:
    """A bar with rate and time left on standard error, gone when the work is done."""
    from rich import progress
    from rich.console import Console
    from rich.text import Text

    class Rate(progress.ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{_amount(task.speed, unit)}{of}/s" if task.speed else "")

    of = _of(unit)
    amount = progress.DownloadColumn() if unit == "bytes" else progress.MofNCompleteColumn()
    text = progress.TextColumn("{task.description}", markup=False)
    columns = (text, progress.BarColumn(), amount, Rate(), progress.TimeRemainingColumn())
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(printable(what), total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def lines(what: str, total: int | None, unit: Unit) -> Iterator[Advance]:
    """A line with rate and time left on standard error now and then, for pipes and logs."""
    start = last = time.monotonic()
    done = 0

    def advance(amount: int) -> None:
        nonlocal last, done
        done += amount
        now = time.monotonic()
        if not done or now - last < LINE_EVERY:
            return
        last = now
        rate = done / (now - start)
        known = "" if total is None else f" of {_amount(total, unit)}"
        left = "" if total is None else f", {timedelta(seconds=round((total - done) / rate))} left"
        print(f"{printable(what)}: {_amount(done, unit)}{known}{_of(unit)}, {_amount(rate, unit)}{_of(unit)}/s{left}", file=sys.stderr)  # noqa: T201

    yield advance


def _amount(number: float, unit: Unit) -> str:
    from rich.filesize import decimal

    return decimal(round(number)) if unit == "bytes" else f"{number:,.{0 if number >= 10 or number == round(number) else 1}f}"


def _of(unit: Unit) -> str:
    return "" if unit == "bytes" else f" {unit}"
