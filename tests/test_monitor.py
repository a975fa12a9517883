"""A monitor leaves no trace in the training around it, keeps its budget, chooses the best, and goes on where it was."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganeval
from conftest import MeanColor
from ganeval import Monitor, to_uint8
from ganeval.errors import InputError, InputTypeError, Notice
from launch import torchrun

REAL = torch.randint(0, 256, (60, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
QUICK: dict[str, Any] = {"extractor": MeanColor(), "device": "cpu", "num_images": 40, "budget": None}


class Net(nn.Module):
    """Everything that a careless score would change: running means, dropout, gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 192), nn.BatchNorm1d(192), nn.Dropout(0.1), nn.Hardtanh())

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.layers(z).view(-1, 3, 8, 8)
        return images


def trained(watch: Callable[[int, Net], Any], num_steps: int = 7) -> list[Any]:
    """All that a training leaves, with something watching it."""
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(num_steps):
        loss = net(torch.randn(8, 4)).square().mean() * random.random() * float(np.random.rand())
        watch(step, net)  # between forward and backward: not even there may it disturb
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(module.training for module in net.modules())
    return [*net.state_dict().values(), torch.get_rng_state(), torch.tensor([random.random(), np.random.rand()])]


def noisy(net: Net) -> Callable[[int], Tensor]:
    return lambda n: to_uint8((net(torch.randn(n, 4)) * random.random() * float(np.random.rand())).clamp(-1, 1))


def test_a_training_ends_with_the_same_bits_with_a_monitor_and_without(tmp_path: Path) -> None:
    monitor = Monitor(REAL, every=2, folder=tmp_path, log=("csv",), **QUICK)
    watched = trained(lambda step, net: monitor(step, noisy(net)))
    alone = trained(lambda step, net: None)
    assert [record.step for record in monitor.history] == [0, 2, 4, 6]
    assert all(torch.equal(one, other) for one, other in zip(watched, alone, strict=True))


def test_fakes_are_drawn_in_evaluation_mode_without_gradients_autocast_or_new_noise() -> None:
    net, seen = Net(), []

    def draw(n: int) -> Tensor:
        seen.append((net.training, net.layers[1].training, torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")))
        torch.set_num_threads(1)
        return to_uint8(net(torch.randn(n, 4)))

    monitor, threads = Monitor(REAL, every=1, **QUICK), torch.get_num_threads()
    with torch.autocast("cpu", torch.bfloat16):
        first, second = monitor(0, draw), monitor(1, draw)
        assert torch.is_autocast_enabled("cpu")
    assert set(seen) == {(False, False, False, False)}
    assert net.training
    assert torch.is_grad_enabled()
    assert torch.get_num_threads() == threads
    assert first is not None
    assert second is not None
    assert first.values == second.values  # the same net and the same noise


def test_a_net_that_was_in_evaluation_mode_stays_so_and_a_draw_may_change_modes_itself() -> None:
    frozen, own = Net().eval(), Net()

    def draw(n: int) -> Tensor:
        own.eval()
        images = to_uint8((frozen(torch.randn(n, 4)) + own(torch.randn(n, 4))).clamp(-1, 1))
        own.train()
        return images

    Monitor(REAL, **QUICK)(0, draw)
    assert not frozen.training
    assert own.training


def test_a_score_is_the_evaluators() -> None:
    fakes = REAL.flip(0)[:50] // 2
    found = Monitor(REAL, **QUICK)(0, fakes)
    expected = ganeval.evaluate(REAL, fakes, extractor=MeanColor(), device="cpu").scores["fd_mean_color"]
    assert found is not None
    assert found.values["fd_mean_color"] == expected.value
    assert found.values["fd_mean_color_error"] == expected.error


def shade(level: int) -> Callable[[int], Tensor]:
    return lambda n: (REAL[torch.randint(len(REAL), (n,))].float() * level / 255).to(torch.uint8)


def test_scores_cost_no_more_than_the_budget() -> None:
    now = [0.0]

    def draw(n: int) -> Tensor:
        now[0] += 0.5  # of 40 images in batches of 32: a second a score
        return shade(200)(n)

    monitor = Monitor(REAL, every=1, clock=lambda: now[0], **{**QUICK, "budget": 0.1})
    for step in range(2000):
        now[0] += 0.1
        monitor(step, draw)
        spent = sum(record.cost for record in monitor.history)
        assert len(monitor.history) == 1 or spent <= 0.1 * now[0]
    assert [record.cost for record in monitor.history] == pytest.approx([1.0] * len(monitor.history))
    assert 18 <= len(monitor.history) <= 22  # a tenth of 200 seconds, and of those that scores take
    assert monitor(1999, draw, now=True) is not None


def test_the_last_step_is_scored_whatever_the_budget() -> None:
    monitor = Monitor(REAL, every=10, num_steps=25, **{**QUICK, "budget": 1e-9})
    for step in range(26):
        monitor(step, shade(200))
    assert [record.step for record in monitor.history] == [0, 25]


@pytest.mark.filterwarnings("ignore::ganeval.errors.Notice")  # of a collapse
def test_the_best_step_is_remembered_kept_and_told(tmp_path: Path) -> None:
    net, told = nn.Linear(1, 1), []
    monitor = Monitor(REAL, every=1, folder=tmp_path, keep={"net": net}, on_best=lambda record: told.append(record.step), **QUICK)
    for step, level in enumerate([50, 150, 250, 200, 100]):
        nn.init.constant_(net.weight, float(step))
        monitor(step, shade(level))
    assert told == [0, 1, 2]
    assert monitor.best is not None
    assert monitor.best.step == 2
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert (best["step"], best["values"], best["net"]["weight"].item()) == (2, monitor.best.values, 2.0)


def test_of_a_score_that_is_better_when_higher_the_highest_is_the_best() -> None:
    monitor = Monitor(every=1, metrics=("is",), **QUICK)
    values = []
    for step, level in enumerate([100, 255, 50]):
        record = monitor(step, shade(level))
        assert record is not None
        values.append(record.values["is_mean_color"])
    assert monitor.best is not None
    assert monitor.best.values["is_mean_color"] == max(values)


def test_a_collapse_is_told() -> None:
    monitor = Monitor(REAL, every=1, **QUICK)
    monitor(0, shade(255))
    monitor(1, lambda n: REAL[:1].expand(n, -1, -1, -1))
    with pytest.warns(Notice, match="step 2: the generator collapses"):
        record = monitor(2, lambda n: REAL[:1].expand(n, -1, -1, -1))
    assert record is not None
    assert record.warning is not None


def test_a_generator_of_nan_costs_a_score_and_not_the_training() -> None:
    monitor = Monitor(REAL, every=1, **QUICK)
    monitor(0, shade(200))
    with pytest.warns(Notice, match=r"^step 1 has no score: to_uint8\(\) takes floats in \[-1, 1\], got values from nan to nan; .*$"):
        assert monitor(1, lambda n: to_uint8(torch.full((n, 3, 8, 8), torch.nan))) is None
    assert monitor(2, shade(200)) is not None


def test_a_mistake_is_raised_at_the_first_score_and_the_training_is_as_it_was() -> None:
    net = Net()
    before = torch.get_rng_state()
    with pytest.raises(InputTypeError, match="floats in"):
        Monitor(REAL, **QUICK)(0, lambda n: net(torch.randn(n, 4)))
    with pytest.raises(InputTypeError, match="is a module; say what it is fed"):
        Monitor(REAL, **QUICK)(0, net)
    assert net.training
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"every": 0}, "every must be at least 1"),
        ({"budget": 2.0}, "budget is a share"),
        ({"keep": {"net": nn.Linear(1, 1)}}, "keep= needs a place"),
        ({"log": "csv"}, "'csv' needs a place"),
        ({"log": "tensorbord", "folder": "."}, "did you mean tensorboard"),
        ({"metrics": ("fidd",)}, "fid"),
    ],
)
def test_a_wrong_option_is_said_before_the_training(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Monitor(REAL, **{**QUICK, **options})
    with pytest.raises(InputError, match="chosen_by='fid' is none of the scores"):
        Monitor(REAL, chosen_by="fid", **QUICK)(0, shade(100))


# Going on


LEVELS = [50, 100, 150, 240, 200, 250, 90, 30, 220]


@pytest.mark.filterwarnings("ignore::ganeval.errors.Notice")  # of a collapse
def test_a_resumed_run_leaves_the_same_log_and_the_same_best(tmp_path: Path) -> None:
    def run(folder: Path, steps: range, state: Mapping[str, Any] | None = None) -> Monitor:
        monitor = Monitor(REAL, every=1, folder=folder, **QUICK)
        if state is not None:
            monitor.load_state_dict(state)
        for step in steps:
            monitor(step, shade(LEVELS[step]))
        return monitor

    whole = run(tmp_path / "whole", range(9))
    state = run(tmp_path / "cut", range(4)).state_dict()
    torch.save(state, tmp_path / "state.pt")
    run(tmp_path / "cut", range(4, 7), state)  # went on, and died before its next checkpoint
    resumed = run(tmp_path / "cut", range(4, 9), torch.load(tmp_path / "state.pt", weights_only=True))
    assert (tmp_path / "cut" / "scores.csv").read_bytes() == (tmp_path / "whole" / "scores.csv").read_bytes()
    assert resumed.best is not None
    assert whole.best is not None
    assert resumed.best.step == whole.best.step == 5


# Logs


def test_every_log_gets_every_score(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    told: list[tuple[int, dict[str, float]]] = []
    monitor = Monitor(REAL, every=1, folder=tmp_path, log=("csv", "tensorboard", lambda *one: told.append(one)), **QUICK)
    for step in range(3):
        monitor(step, shade(100 * step + 50))
    expected = [(record.step, record.values) for record in monitor.history]
    assert told == expected
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = [(int(row.pop("step")), {name: float(value) for name, value in row.items()}) for row in csv.DictReader(file)]
    assert rows == expected
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    found = [(event.step, event.value) for event in events.Scalars("score/fd_mean_color")]
    assert found == [(step, pytest.approx(values["fd_mean_color"], rel=1e-6)) for step, values in expected]


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("name,points\nAnn,3\n")
    with pytest.raises(InputError, match="is not of ganeval"):
        Monitor(REAL, folder=tmp_path, **QUICK)(0, shade(100))
    assert "Ann" in (tmp_path / "scores.csv").read_text()


def test_wandb_gets_scores_in_the_run_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    monitor = Monitor(REAL, every=1, log="wandb", **QUICK)
    with pytest.raises(InputError, match=r"call wandb\.init"):
        monitor(0, shade(100))
    run = wandb.init(mode="offline", dir=str(tmp_path), settings=wandb.Settings(silent=True))
    record = monitor(1, shade(100))
    assert record is not None
    run.log({"loss": 1.0}, step=5)
    summary = dict(run.summary)
    run.finish()
    assert summary["score/step"] == 1
    assert summary["score/fd_mean_color"] == record.values["fd_mean_color"]


# Several processes


WORKER = """
import sys, warnings
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from test_monitor import QUICK, REAL, Net, shade
from ganeval import InputError, Monitor, to_uint8

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
net = DistributedDataParallel(Net())  # its buffers are broadcast at each forward: one process alone would wait for ever
monitor = Monitor(REAL, every=1, folder=sys.argv[1], **QUICK)
records = [monitor(step, lambda n: to_uint8(net(torch.randn(n, 4)))) for step in range(2)]
told = [None, None]
dist.all_gather_object(told, records)
assert told[0] == told[1] and records[0] is not None and monitor.best is not None
assert net.require_forward_param_sync and net.training

# What goes wrong later costs a score in all; what goes wrong at the first score is raised in all; so are reals that cannot be read.
def broken(n):
    raise InputError("no") if rank == 0 else AssertionError("only the first draws")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    assert monitor(2, broken) is None
for make in (lambda: Monitor(REAL, **QUICK)(0, broken), lambda: Monitor("nowhere/", **QUICK)):
    try:
        make()
        raise SystemExit("nobody gets here")
    except InputError as error:
        assert ("the first process failed: InputError: " in str(error)) == (rank == 1), error

def wrong(n):
    raise KeyError("a bug in the training code")

try:
    monitor(3, wrong)
    raise SystemExit("nobody gets here")
except (KeyError, InputError) as error:
    assert "a bug in the training code" in str(error) and isinstance(error, KeyError) == (rank == 0)
net(torch.randn(4, 4)).sum().backward()  # and the training goes on
dist.barrier()
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_the_first_process_scores_and_none_waits_for_ever(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    done = torchrun(script, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "run" / "scores.csv").read_text().splitlines()) == 3
