"""What happens beside training: it changes nothing in it, keeps the best, and meets a collapse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from ganeval.processes import Place
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.checkpoint import load_checkpoint
from ganeval.training.data import Split, Stored
from ganeval.training.gan import GAN, GANConfig, Preset, step
from ganeval.training.loader import Loader
from ganeval.training.loop import train
from ganeval.training.overseer import MAX_ROLLBACKS, Overseer, Watch
from ganeval.training.run_folder import RunFolder
from ganeval.training.scoring import Scorer, halved
from ganeval.training.settings import Settings
from ganeval.training.state import TrainState
from ganeval.training.tasks import wanted
from marks import slow_except
from small_models import SMALL, small_data, small_model

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Place(torch.device("cpu"))


class Spreading(nn.Module):
    """Noise around a gray level, times a contrast that training changes."""

    def __init__(self) -> None:
        super().__init__()
        self.contrast = nn.Parameter(torch.tensor(0.5))

    def forward(self, z: Tensor) -> Tensor:
        return (z * self.contrast).clamp(-1, 1)


class Collapsing(GAN):
    """Makes noise like the reals for some steps, then one flat picture for ever; its losses never show it."""

    Config = GANConfig
    presets: ClassVar[Mapping[str, Preset]] = {"paper": Preset(config=GANConfig(), about="", image_size=8)}
    paper = "none"
    healthy_steps = 6

    def __init__(self, config: GANConfig, spec: Any) -> None:
        super().__init__(config, spec)
        self.generator = Spreading()
        self.optimizer = self.adam(self.generator)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        step(self.optimizer, self.generator.contrast.square() * 0)
        self.get_buffer("steps").add_(1)
        if int(self.get_buffer("steps")) >= self.healthy_steps:
            with torch.no_grad():
                self.generator.contrast.fill_(0.001)
        return {"generator": torch.tensor(0.7)}

    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        images: Tensor = self.generator(torch.rand(batch.images.shape, generator=rng) * 2 - 1.2)
        return images


class Told(Watch):
    def __init__(self) -> None:
        self.events: list[tuple[int, str]] = []

    def on_event(self, step: int, kind: str, message: str) -> None:
        self.events.append((step, kind))


def settings(model: GAN, **changes: Any) -> Settings:
    values = {"score_every": 2, "num_fakes_training": 12, **changes}
    return Settings(model="gan", preset="paper", config=asdict(model.config), **values)


def overseen(model: GAN, folder: Path, **changes: Any) -> tuple[TrainState, Told, RunFolder]:
    data = small_data(model.task, model.spec.image_size)
    run, told = RunFolder.created(folder, {}), Told()
    chosen = settings(model, **changes)
    overseer = Overseer(chosen, data, Scorer(data, device="cpu"), run, CPU, told, asked_to_stop=lambda: False)
    torch.manual_seed(1)
    state = train(
        model,
        Loader(data.train, data.spec, batch_size=model.config.batch_size),
        every=overseer.callbacks(1),
        on_losses=overseer.on_losses,
        stop=overseer.told_to_stop,
    )
    return state, told, run


def scores_of(run: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.path / "scores.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", slow_except(SMALL, "dcgan", "cgan", "pix2pix"))
def test_a_run_with_scores_grids_and_checkpoints_trains_to_the_same_bits_as_one_without(name: str, tmp_path: Path) -> None:
    watched = small_model(name, ema_decay=0.9)
    overseen(watched, tmp_path / "run", score_every=2, sample_every=3, checkpoint_every=4)
    alone = small_model(name, ema_decay=0.9)
    data = small_data(alone.task, alone.spec.image_size)
    torch.manual_seed(1)
    train(alone, Loader(data.train, data.spec, batch_size=alone.config.batch_size))
    assert all(torch.equal(value, alone.state_dict()[key]) for key, value in watched.state_dict().items())


def collapsing(num_steps: int = 16) -> Collapsing:
    data = small_data("images", 8)
    torch.manual_seed(0)
    return Collapsing(replace(GANConfig(), num_steps=num_steps, batch_size=4), data.spec)


def test_a_collapse_is_told_and_the_best_checkpoint_is_from_before_it(tmp_path: Path) -> None:
    state, told, run = overseen(collapsing(), tmp_path / "run")
    assert state.step == 16
    assert told.events[0] == (8, "collapse")  # flat from step 6: seen there and again at 8
    best = load_checkpoint(run.checkpoint("best"))
    assert best["step"] < 6
    assert best["nets"]["generator.contrast"] > 0.4
    flat = [record for record in scores_of(run) if record["step"] >= 6]
    assert all(record["diversity"]["spread"] < 0.1 for record in flat)
    losses = [json.loads(line)["losses"]["generator"] for line in (run.path / "losses.jsonl").read_text().splitlines()]
    assert losses == [pytest.approx(0.7)] * len(losses)


def test_a_collapse_ends_the_run_where_that_is_asked_for(tmp_path: Path) -> None:
    state, told, _ = overseen(collapsing(), tmp_path / "run", on_collapse="stop")
    assert told.events == [(8, "collapse"), (8, "stop")]
    assert state.step in (8, 9)  # the step after which it is asked


def test_a_rollback_goes_on_from_the_best_nets_and_gives_up_after_some(tmp_path: Path) -> None:
    model = collapsing(num_steps=60)
    state, told, run = overseen(model, tmp_path / "run", on_collapse="rollback")
    kinds = [kind for _, kind in told.events]
    assert kinds == ["collapse", "rollback"] * MAX_ROLLBACKS + ["collapse", "stop"]
    assert state.step < 60
    # The best nets are of step 4 at most, and healthy until their 6th step: after each way back there is a healthy score again.
    healthy = [record["step"] for record in scores_of(run) if record["diversity"]["spread"] > 0.1]
    ways_back = [step for step, kind in told.events if kind == "rollback"]
    assert all(any(back < step <= back + 4 for step in healthy) for back in ways_back)


def test_no_budget_means_no_scores_and_the_last_checkpoint(tmp_path: Path) -> None:
    _, _, run = overseen(collapsing(4), tmp_path / "run", score_every=None, score_budget=0.0)
    assert not (run.path / "scores.jsonl").exists()
    assert not run.checkpoint("best").exists()
    assert run.checkpoint("last").exists()


def test_a_budget_scores_at_the_start_and_at_the_end_at_least(tmp_path: Path) -> None:
    _, _, run = overseen(collapsing(4), tmp_path / "run", score_every=None, score_budget=0.01)
    steps = [record["step"] for record in scores_of(run)]
    assert steps[0] == 0
    assert steps[-1] == 4
    assert all(record["cost"] > 0 for record in scores_of(run))


@pytest.mark.parametrize("task", ["images", "classes", "pairs", "domains", "attributes"])
def test_the_half_that_chooses_and_the_half_that_reports_share_no_picture(task: Any) -> None:
    test = small_data(task, 8, num_test=25).test
    choose, report = halved(test)
    for first, second, whole in ((choose.images, report.images, test.images), (choose.source, report.source, test.source)):
        if first is None or second is None or whole is None:
            continue
        digests = [{first_or_second[i].numpy().tobytes() for i in range(len(first_or_second))} for first_or_second in (first, second)]
        assert not digests[0] & digests[1]
        assert len(digests[0]) + len(digests[1]) == len(whole)


def test_events_for_tensorboard_hold_losses_and_scores(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _, _, run = overseen(collapsing(4), tmp_path / "run")
    events = accumulator.EventAccumulator(str(run.path)).Reload()
    assert {"loss/generator", "score/fd_tiny"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("score/fd_tiny")] == [0, 2, 4]


def test_the_first_fakes_are_of_all_classes_though_files_come_class_by_class() -> None:
    labels = torch.arange(400) // 100
    split = Split(images=Stored(labels.to(torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8)), labels=labels)
    spec = DataSpec(task="classes", image_size=8, channels=3, label_names=tuple("abcd"))
    (asked,) = wanted(halved(split)[0], spec, 40)
    assert asked.labels is not None
    assert asked.labels.unique().tolist() == [0, 1, 2, 3]
    assert asked.real_labels is not None
    assert asked.real_labels.equal(asked.real[:, 0, 0, 0].long())
    assert asked.real_labels[:40].unique().tolist() == [0, 1, 2, 3]  # what the collapse guard looks at
