"""What `ganeval train` shows while it runs: a bar for people, lines for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ganeval.errors import printable, shown
from ganeval.training.overseer import Watch

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ganeval.training.scoring import ScoreCard

LINE_EVERY = 30.0  # seconds between two lines of losses in a log


class Lines(Watch):
    """On standard error, for pipes and logs."""

    def __init__(self) -> None:
        self._last = -LINE_EVERY

    def say(self, text: str) -> None:
        click.echo(shown(text), err=True)

    def on_start(self, summary: Iterable[str]) -> None:
        for line in summary:
            self.say(line)

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self._last >= LINE_EVERY:
            self._last = now
            self.say(f"step {step:,} of {num_steps:,}  {_losses(losses)}")

    def on_score(self, step: int, card: ScoreCard, *, best: bool) -> None:
        self.say(f"step {step:,}  {_score(card)}  coverage {card.diversity.coverage:.2f}{'  best so far' if best else ''}")

    def on_event(self, step: int, kind: str, message: str) -> None:
        self.say(f"step {step:,}  {kind}: {message}")


class Bar(Lines):
    """A bar with losses, steps per second, time left and the last score; scores and events stay above it."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        super().__init__()
        self._bar, self._task = bar, task
        self._score = ""

    def say(self, text: str) -> None:
        self._bar.console.print(text, highlight=False, markup=False)

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        speed = self._bar.tasks[self._task].speed
        rate = f"{speed:.1f} steps/s" if speed else ""
        self._bar.update(self._task, completed=step, total=num_steps, losses=_losses(losses), rate=rate, score=self._score)

    def on_score(self, step: int, card: ScoreCard, *, best: bool) -> None:
        self._score = _score(card)
        super().on_score(step, card, best=best)


class Quiet(Lines):
    """Events only: something to know of is said even so."""

    def on_start(self, summary: Iterable[str]) -> None:
        pass

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        pass

    def on_score(self, step: int, card: ScoreCard, *, best: bool) -> None:
        pass


@contextmanager
def shown_watch(name: str, quiet: bool) -> Iterator[Lines]:
    """What fits where standard error goes."""
    if quiet or not sys.stderr.isatty():
        yield Quiet() if quiet else Lines()
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(compact=True),
        progress.TextColumn("{task.fields[losses]}  {task.fields[score]}", markup=False),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Bar(bar, bar.add_task(printable(name), total=None, losses="", rate="", score=""))


def _losses(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in losses.items())


def _score(card: ScoreCard) -> str:
    return f"{card.chosen_by} {card.choice:.4g}"
