"""A session: settings → data, model, loop, scores, files. What `ganeval train` does, without the command line."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ganeval.errors import InputError
from ganeval.loaders import loaders
from ganeval.machine import chosen_device, versions
from ganeval.memory import keep_freed_memory
from ganeval.pages.language import language
from ganeval.pages.run import write_page
from ganeval.processes import First, Place, joined_processes
from ganeval.progress import Progress, silent
from ganeval.training.building import built
from ganeval.training.checkpoint import load_checkpoint
from ganeval.training.data import TrainingData
from ganeval.training.datasets import open_data
from ganeval.training.datasets.provenance import changed_pictures
from ganeval.training.gan import GAN
from ganeval.training.loader import Loader
from ganeval.training.loop import train
from ganeval.training.loss_log import Diverged
from ganeval.training.models import load_model
from ganeval.training.overseer import Overseer, Watch
from ganeval.training.run_folder import CheckpointName, RunFolder, check_free
from ganeval.training.scoring import Scorer
from ganeval.training.settings import Settings, continued
from ganeval.training.signals import stop_requests
from ganeval.training.state import check_identity, check_processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a session ended."""

    folder: RunFolder
    step: int
    finished: bool
    stopped_by: int  # the signal that asked for it, or 0
    scorer: Scorer | None  # to score with once more; None in processes that do not


def start(
    settings: Settings,
    path: Path,
    *,
    device: str | None = None,
    watch: Watch | None = None,
    progress: Progress = silent,
    lang: str = "en",
) -> Outcome:
    """Train in a new folder; `lang` is the language of its page.

    Raises:
        InputError: anything about the settings, data or folder that makes the run impossible; before anything is trained.
        Diverged: a loss or a weight became NaN.
    """
    language(lang)
    with joined_processes(chosen_device(device)) as place:
        session = Session(settings, place, watch or Watch(), progress)
        if not place.is_first:
            return session.run(RunFolder(path), resume=None)
        check_free(path)
        with RunFolder(path).held():
            return session.run(RunFolder.created(path, {**session.about(), "lang": lang}), resume=None)


def resume(
    path: Path,
    *,
    checkpoint: CheckpointName = "last",
    model: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str | None = None,
    watch: Watch | None = None,
    progress: Progress = silent,
    lang: str | None = None,
) -> Outcome:
    """Continue the run in a folder from a checkpoint.

    Args:
        model: its name, where somebody has said it: refused if it is another.
        lang: of the page; None is the language that the run was begun with.
        changes: as for `settings_for`. What touches training must be as it was, but `num_steps` may make the run longer.

    Raises:
        InputError: no run, no checkpoint, one that is damaged or of something else, other pictures than those that the run was begun
            with, or a change that is none of these. The folder is as it was then.
    """
    folder = RunFolder.opened(path)
    with folder.held() if First().is_here else nullcontext(), joined_processes(chosen_device(device)) as place:
        before = folder.config()
        lang = lang or before.get("lang", "en")
        language(lang)
        settings = continued(Settings.from_dict(before["settings"]), path, model, changes or {})
        state = load_checkpoint(folder.checkpoint(checkpoint))
        if "imported" in state:
            raise InputError(
                f"{path} was imported: it has no discriminator to continue with; train a new run: ganeval train {settings.model}"
            )
        if "overseer" not in state:
            raise InputError(f"{folder.checkpoint(checkpoint)} was not made by `ganeval train`; continue it in Python: train(…, resume=…)")
        if state["step"] >= settings.config["num_steps"]:
            raise InputError(
                f"{path} is finished at step {state['step']:,}; make it longer with --num-steps, or score it: ganeval score {path}"
            )
        session = Session(settings, place, watch or Watch(), progress)
        check_identity(session.model, state)
        check_processes(state)
        if other := changed_pictures(before["data"]["provenance"], session.data.provenance, ("train", "test")):
            raise InputError(f"{settings.data} {other} the run was begun with; put the same back, or start a new run")
        if place.is_first:
            folder.write_json("config.json", {**session.about(), "command": before["command"], "lang": lang})
        return session.run(folder, resume=state)


class Session:
    """One run in this process."""

    def __init__(self, settings: Settings, place: Place, watch: Watch, progress: Progress) -> None:
        self.settings, self.place, self.watch = settings, place, watch
        if settings.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS may choose another sum each time
            torch.use_deterministic_algorithms(True)
            torch.backends.cudnn.benchmark = False
        if place.device.type == "cpu":
            keep_freed_memory()
        with place.first_alone():
            self.data = data_of(settings, enlarged=True, progress=progress)
        self.model = built(settings, self.data.spec).to(place.device)
        self.scorer = scorer_of(settings, self.data, place.device, progress) if place.is_first else None

    def about(self) -> dict[str, Any]:
        """For `config.json`."""
        return about(self.settings, self.model, self.place.device, name=self.data.name, provenance=self.data.provenance)

    def summary(self, folder: RunFolder) -> Iterator[str]:
        """For people, a line each."""
        settings = self.settings
        yield f"{settings.model}, configuration {settings.preset}: {self.model.presets[settings.preset].about}"
        yield f"parameters: {self.model.in_words}"
        yield from self.data.summary()
        steps, batch_size = settings.config["num_steps"], settings.config["batch_size"]
        where = f"on {self.place.device}; scores by the extractor {settings.extractor}; run folder {folder.path}"
        yield f"{steps:,} steps of {batch_size} {where}"

    def run(self, folder: RunFolder, *, resume: Mapping[str, Any] | None) -> Outcome:
        settings, config, place = self.settings, self.model.config, self.place
        loader = Loader(
            self.data.train,
            self.data.spec,
            batch_size=config.batch_size,
            seed=settings.seed,
            flip=config.flip,
            device=place.device,
            rank=place.rank,
            world_size=place.world_size,
        )
        if place.is_first:
            self.watch.on_start(self.summary(folder))
        torch.manual_seed(settings.seed + 1 + place.rank)  # noise: a stream for each process
        with loaders(f"the last checkpoint is good: go on with --resume {folder.path}"), stop_requests() as stop_request:
            overseer = Overseer(settings, self.data, self.scorer, folder, place, self.watch, asked_to_stop=lambda: bool(stop_request()))
            if resume is not None:
                overseer.load_state_dict(resume["overseer"])
                overseer.event(resume["step"], "resume", f"continued from step {resume['step']:,}")
            log_every = max(1, min(50, config.num_steps // 50))
            try:
                state = train(
                    self.model,
                    loader,
                    every=overseer.callbacks(log_every),
                    resume=resume,
                    log_every=log_every,
                    on_losses=overseer.on_losses,
                    stop=overseer.told_to_stop,
                    precision=settings.precision,
                    compiled=settings.compiled,
                    channels_last=settings.channels_last,
                )
            except Diverged as error:
                overseer.event(error.step, "nan", str(error))
                raise
            finally:
                if place.is_first:
                    write_page(folder.path)
            signal = stop_request()
        return Outcome(folder=folder, step=state.step, finished=state.step >= config.num_steps, stopped_by=signal, scorer=self.scorer)


def about(settings: Settings, model: GAN, device: torch.device, *, name: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """For `config.json`; `name` and `provenance` are of the data."""
    return {
        "model": settings.model,
        "paper": model.paper,
        "preset": settings.preset,
        "config": dict(settings.config),
        "data": {"name": name, "spec": asdict(model.spec), "provenance": dict(provenance)},
        "num_steps": settings.config["num_steps"],
        "seed": settings.seed,
        "device": str(device),
        "extractor": settings.extractor,
        "versions": versions(),
        "command": shlex.join(["ganeval", *sys.argv[1:]]),
        "settings": settings.to_dict(),
    }


def data_of(settings: Settings, *, enlarged: bool, progress: Progress = silent) -> TrainingData:
    """The data that the settings name; for scoring they need no margin for crops."""
    model = load_model(settings.model)
    preset = model.presets[settings.preset]
    return open_data(
        settings.data,
        task=model.task,
        image_size=settings.image_size,
        default_size=preset.image_size,
        channels=settings.channels,
        default_channels=preset.channels,
        enlarge=settings.config["enlarge"] if enlarged else 1.0,
        attributes=settings.attributes,
        direction=settings.direction,
        progress=progress,
    )


def scorer_of(settings: Settings, data: TrainingData, device: torch.device, progress: Progress = silent, **changes: Any) -> Scorer:
    """With what the settings say about scoring, and `changes` to it."""
    options: dict[str, Any] = {
        "metrics": settings.metrics,
        "extractor": settings.extractor,
        "convention": settings.convention,
        "weights": settings.weights,
    }
    return Scorer(data, device=device, progress=progress, **{**options, **changes})
