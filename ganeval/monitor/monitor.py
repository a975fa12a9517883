"""Monitor: scores a generator while somebody's own loop trains it."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch

from ganeval.errors import InputError, Notice
from ganeval.evaluator import Evaluator
from ganeval.machine import chosen_device
from ganeval.monitor.aside import aside
from ganeval.monitor.logs import Log, opened_logs
from ganeval.monitor.record import Record, badness, diversity_of, values_of
from ganeval.plan import Names
from ganeval.processes import First
from ganeval.report import Report
from ganeval.seeds import check_seed
from ganeval.training.budget import Budget
from ganeval.training.checkpoint import save_checkpoint
from ganeval.training.guard import CollapseGuard

SURVIVED = (InputError, torch.cuda.OutOfMemoryError)  # what ends a score, but not a training that has had one


class Keeps(Protocol):
    """A net, an optimizer: what has a state."""

    def state_dict(self) -> Any: ...


class Monitor:
    """Scores every so many steps, as far as its share of the time allows, and remembers the best.

        monitor = Monitor("real/", every=1000, folder="runs/mine")
        for step in range(num_steps):
            ...
            monitor(step, lambda n: to_uint8(generator(torch.randn(n, 100))))

    The training around it goes on with the same bits as without. Under torch.distributed every process makes one and calls it: the first
    scores, and all are given what it found. A mistake that shows at the first score is raised, in all processes; a later score that
    fails is left out with a warning, as is a line of a log or a `best.pt` that finds the disk full, and the training goes on.

    Args:
        real: as for `Evaluator`; worked through now, once.
        every: steps between two scores.
        budget: share of the wall time that scores may take; a score that would take more is left out, but for the first. None is no limit.
        num_images: how many to draw where the fakes are drawn by a function.
        metrics: as for `Evaluator`; without `chosen_by` the first one chooses the best step.
        folder: where `scores.csv`, `best.pt` and TensorBoard's events go.
        log: "csv", "tensorboard", "wandb", a function of step and values, or several of them; None is "csv" where there is a folder.
        keep: nets and other things with a `state_dict`, by name: those of the best step are kept in `best.pt`.
        on_best: called in the first process with the `Record` of a step that is the best so far.
        chosen_by: key of the score that chooses.
        num_steps: of the whole training, where it is known: the last step is then scored in any case.
        seed: of the noise, the same in every score.
        clock: seconds, growing.
        options: further ones of `Evaluator`: extractor, weights, convention, device, batch_size …

    Raises:
        InputError: reals, metrics or options that cannot be scored with.
    """

    def __init__(
        self,
        real: Any = None,
        *,
        every: int = 1000,
        budget: float | None = 0.05,
        num_images: int = 2048,
        metrics: Names = ("fid",),
        folder: str | os.PathLike[str] | None = None,
        log: str | Log | Iterable[str | Log] | None = None,
        keep: Mapping[str, Keeps] | None = None,
        on_best: Callable[[Record], None] | None = None,
        chosen_by: str | None = None,
        num_steps: int | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        check_seed(seed)
        if every < 1:
            raise InputError(f"every must be at least 1 step, got {every}")
        if budget is not None and not 0 < budget <= 1:
            raise InputError(f"budget is a share of the time, between 0 and 1, got {budget}; None is no limit")
        if keep and folder is None:
            raise InputError("keep= needs a place; name it with folder=")
        if taken := {"step", "values", "format"} & set(keep or ()):
            raise InputError(f"{', '.join(taken)} cannot be the name of what is kept; choose another")
        self.every, self.num_images, self.num_steps = every, num_images, num_steps
        self.history: list[Record] = []
        self.report: Report | None = None  # of the last score, in the first process
        self._folder = None if folder is None else Path(folder)
        self._keep, self._on_best, self._chosen_by = dict(keep or {}), on_best, chosen_by
        self._seed, self._clock = seed, clock
        self._device = chosen_device(options.get("device"))
        self._make: Callable[[], Evaluator] = lambda: Evaluator(real, metrics=metrics, keep_features="sample", **options)
        self._evaluator: Evaluator | None = None
        self._guard = CollapseGuard()
        self._first = First()
        self._logs: list[Log] = []
        self._went_well = False  # whether a score has come about since the start of the program
        self._first.acts(lambda: self._get_ready(log))
        self._budget = None if budget is None else Budget(budget, clock)
        self._start = clock()

    def __call__(self, step: int, fakes: Any, *, now: bool = False) -> Record | None:
        """Score, if it is time.

        Args:
            step: of the training, counted by the caller.
            fakes: a function that draws n images, uint8 [n, 3 or 1, height, width] (`to_uint8` makes them of floats in [-1, 1]), or
                anything else that `open_images` takes.
            now: in any case, whatever `every` and `budget` say.

        Returns:
            What was found, in every process; None where nothing was scored. A step that was scored already is not scored again.
        """
        must = now or step == self.num_steps
        if not must and step % self.every:
            return None
        record = self._first.acts(lambda: self._turn(step, fakes, must))
        if record is not None and record not in self.history[-1:]:
            self.history.append(record)
        return record

    @property
    def best(self) -> Record | None:
        """The best score so far."""
        return next((record for record in reversed(self.history) if record.best), None)

    def state_dict(self) -> dict[str, Any]:
        """For the training's own checkpoints: plain values."""
        history = [record.to_dict() for record in self.history]
        return {"history": history, "guard": self._guard.state_dict(), "seconds": self._clock() - self._start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there; the logs lose what they have of later steps at the next score."""
        self.history = [Record(**record) for record in state["history"]]
        self._guard.load_state_dict(state["guard"])
        self._start = self._clock() - state["seconds"]

    def _get_ready(self, log: str | Log | Iterable[str | Log] | None) -> None:
        self._logs = opened_logs(log, self._folder)
        if self._first.is_here:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            self._ready()

    def _ready(self) -> Evaluator:
        if self._evaluator is None:
            with aside(self._device, seed=self._seed):
                self._evaluator = self._make()
        return self._evaluator

    def _turn(self, step: int, fakes: Any, must: bool) -> Record | None:
        """What the first process does."""
        if self.history and self.history[-1].step == step:
            return self.history[-1]
        evaluator = self._ready()
        budget = self._budget or Budget(1.0, self._clock)
        if not must and self._budget is not None and not budget.affordable:
            return None
        try:
            with budget.spending():
                found = self._kept(self._scored(evaluator, step, fakes))
        except SURVIVED as error:
            self._survive(error, f"step {step:,} has no score")
            return None
        record = replace(found, cost=budget.cost)  # with all that was done about it
        for write in self._logs:
            try:
                write(step, record.values)
            except OSError as error:  # a full disk
                self._survive(error, f"the score of step {step:,} is in `history`, and missing in a log")
        self._went_well = True
        if record.warning is not None:
            warnings.warn(Notice(f"step {step:,}: {record.warning}"), stacklevel=5)
        return record

    def _survive(self, error: Exception, what: str) -> None:
        """Say it, and go on; a mistake shows at the first score, and is raised."""
        if not self._went_well:
            raise error
        warnings.warn(Notice(f"{what}: {_one_line(error)}"), stacklevel=6)

    def _scored(self, evaluator: Evaluator, step: int, fakes: Any) -> Record:
        """The score."""
        start = self._clock()
        with aside(self._device, seed=self._seed):
            fake = evaluator.measure(fakes, num_images=self.num_images if callable(fakes) else None)
            self.report = evaluator.report(fake)
            choice = badness(self.report, self._chosen_by)
            spread = diversity_of(evaluator.real, fake)
        done = step / self.num_steps if self.num_steps else 0.0
        warning = None if spread is None else self._guard.warning(spread, done)
        now, best = self._clock(), self.best is None or choice < self.best.choice
        values = values_of(self.report, spread)
        return Record(step=step, seconds=now - self._start, cost=now - start, values=values, choice=choice, best=best, warning=warning)

    def _kept(self, found: Record) -> Record:
        """The nets of what is the best so far. Where they cannot be written, it is no best: `best.pt` stays what `best` says."""
        if not found.best:
            return found
        if self._keep and self._folder is not None:
            states = {name: one.state_dict() for name, one in self._keep.items()}
            try:
                save_checkpoint(self._folder / "best.pt", {"step": found.step, "values": found.values, **states})
            except OSError as error:
                self._survive(error, f"step {found.step:,} has the best score so far, and is not kept")
                return replace(found, best=False)
        if self._on_best is not None:
            self._on_best(found)
        return found


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
