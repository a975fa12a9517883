"""Overseer: what happens beside training: losses and scores written down, checkpoints kept, the best chosen, a collapse met."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ganeval.processes import Place
from ganeval.training.budget import Budget
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint
from ganeval.training.data import TrainingData
from ganeval.training.events import event_writer
from ganeval.training.grids import grid
from ganeval.training.guard import CollapseGuard
from ganeval.training.loop import Callback
from ganeval.training.run_folder import RunFolder
from ganeval.training.scoring import ScoreCard, Scorer, halved
from ganeval.training.settings import Settings
from ganeval.training.state import TrainState

MAX_ROLLBACKS = 3  # then the run stops: it would collapse again
NUM_CHECKPOINTS, NUM_SAMPLES = 20, 10  # of a run, where the settings do not say how often
SAMPLE_SEED = 0  # the same noise in every grid
SCORE_SEED = 1  # and in every score: two of them differ by the weights alone


class Watch:
    """What a session tells while it runs. This one listens to nothing; the command line shows it."""

    def on_start(self, summary: Iterable[str]) -> None:
        """What is about to be trained, on what, and where; a line each."""

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        """Means since the last call."""

    def on_score(self, step: int, card: ScoreCard, *, best: bool) -> None:
        """A score on the way."""

    def on_event(self, step: int, kind: str, message: str) -> None:
        """Something that a person should know."""


class Overseer:
    """The callbacks of one run. What it remembers goes into every checkpoint.

    Under torchrun every process has one: the first scores and writes, and the others follow its decisions.
    """

    def __init__(
        self,
        settings: Settings,
        data: TrainingData,
        scorer: Scorer | None,
        folder: RunFolder,
        place: Place,
        watch: Watch,
        asked_to_stop: Callable[[], bool],
    ) -> None:
        self._settings, self._scorer, self._folder, self._place, self._watch = settings, scorer, folder, place, watch
        self._asked_to_stop = asked_to_stop
        self._num_steps: int = settings.config["num_steps"]
        self._shown = halved(data.test)[0]  # what grids show; nothing of the half that is reported
        self._budget = Budget(settings.score_budget)
        self._guard = CollapseGuard()
        self._history: list[dict[str, Any]] = []
        self._best: float | None = None
        self._again: tuple[int, float] | None = None  # step and score of a best that a killed run kept and did not live to finish with
        self._rollbacks = 0
        self._collapsed = False
        self._start = time.monotonic()
        self._events = event_writer(folder.path) if place.is_first else None

    def callbacks(self, tick: int) -> list[tuple[int, Callback]]:
        """For `train`; `tick` is how often to ask whether a score can be afforded. Checkpoints come last: they hold what the others did."""
        settings = self._settings
        return [
            (settings.score_every or tick, self._score),
            (settings.sample_every or max(1, self._num_steps // NUM_SAMPLES), self._sample),
            (settings.checkpoint_every or max(1, self._num_steps // NUM_CHECKPOINTS), self._checkpoint),
        ]

    def told_to_stop(self) -> bool:
        return self._collapsed or self._asked_to_stop()

    def on_losses(self, step: int, losses: dict[str, float]) -> None:
        if not self._place.is_first:
            return
        self._folder.append("losses", {"step": step, "seconds": self._seconds, "losses": losses})
        self._watch.on_losses(step, self._num_steps, losses)
        if self._events is not None:
            self._events.add(step, losses, "loss")

    def event(self, step: int, kind: str, message: str) -> None:
        """Tell it, and write it down."""
        if self._place.is_first:
            self._folder.append("events", {"step": step, "kind": kind, "message": message})
            self._watch.on_event(step, kind, message)

    def state_dict(self) -> dict[str, Any]:
        return {
            "seconds": self._seconds,
            "best": self._best,
            "guard": self._guard.state_dict(),
            "rollbacks": self._rollbacks,
            "history": self._history,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._start = time.monotonic() - state["seconds"]
        self._best, self._rollbacks, self._history = state["best"], state["rollbacks"], list(state["history"])
        self._guard.load_state_dict(state["guard"])
        best = self._folder.checkpoint("best")
        if best.exists():  # it may be of a later step than what the run goes on from: nothing worse shall take its place
            kept = load_checkpoint(best)
            known = [self._best, kept["overseer"]["best"]]
            self._best = min((value for value in known if value is not None), default=None)
            self._again = kept["step"], kept["overseer"]["best"]

    @property
    def _seconds(self) -> float:
        return round(time.monotonic() - self._start, 2)

    def _score(self, state: TrainState) -> None:
        if not self._place.agreed(self._due(state.step)):
            return
        card, improved, warning = None, False, None
        with self._budget.spending(free=state.step == 0):  # the first tells where the run began, and waits for the reals
            if self._scorer is not None:
                card = self._scorer(state.model, state.average, half="choose", num_fakes=self._settings.num_fakes_training, seed=SCORE_SEED)
                improved = self._best is None or card.choice < self._best or (state.step, card.choice) == self._again
                warning = self._guard.warning(card.diversity, state.step / self._num_steps)
                self._note(state.step, card, improved)
            if self._place.agreed(improved):
                self._save(state, "best")
                self._sample(state)
        if card is not None:
            self._record(state.step, card, improved)
        if self._place.agreed(warning is not None):
            self._meet_collapse(state, warning or "")

    def _due(self, step: int) -> bool:
        settings = self._settings
        if self.told_to_stop() or (settings.score_every is None and not settings.score_budget):
            return False
        return settings.score_every is not None or step in (0, self._num_steps) or self._budget.affordable

    def _note(self, step: int, card: ScoreCard, improved: bool) -> None:
        """For the checkpoints."""
        if improved:
            self._best = card.choice
        self._history.append({"step": step, "seconds": self._seconds, **card.to_dict(), "best": improved})

    def _record(self, step: int, card: ScoreCard, improved: bool) -> None:
        """For the folder and for who watches, once it is known what the score cost."""
        self._folder.append("scores", {**self._history[-1], "cost": round(self._budget.cost, 3)})
        self._watch.on_score(step, card, best=improved)
        if self._events is not None:
            self._events.add(step, {key: score.value for key, score in card.report.scores.items()}, "score")

    def _meet_collapse(self, state: TrainState, warning: str) -> None:
        """As `--on-collapse` says. The best checkpoint is kept in any case."""
        wanted = self._settings.on_collapse
        self.event(state.step, "collapse", warning)
        if wanted == "warn":
            return
        if wanted == "stop" or self._rollbacks == MAX_ROLLBACKS:
            self._collapsed = True
            self.event(state.step, "stop", "stopped; the best checkpoint is from before the collapse")
            return
        best = load_checkpoint(self._folder.checkpoint("best"))
        state.roll_back(best)
        self._rollbacks += 1
        self._guard.forgive()
        self.event(state.step, "rollback", f"went back to the nets of step {best['step']:,} ({self._rollbacks} of {MAX_ROLLBACKS})")

    def _sample(self, state: TrainState) -> None:
        if self._place.is_first:
            with state.sampling(SAMPLE_SEED) as rng:
                picture = grid(state.model, rng, self._shown)
            self._folder.write_sample(state.step, picture)

    def _checkpoint(self, state: TrainState) -> None:
        self._save(state, "last")

    def _save(self, state: TrainState, name: Any) -> None:
        everything = {**state.state_dict(), "overseer": self.state_dict()}
        if self._place.is_first:
            save_checkpoint(self._folder.checkpoint(name), everything)
