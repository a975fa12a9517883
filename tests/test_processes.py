"""Several processes: averaged gradients, equal weights, one run folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ganeval.images.png import write_png
from ganeval.training.checkpoint import load_checkpoint
from ganeval.training.data import stacked
from launch import torchrun
from small_models import SMALL, small_data

WORKER = """
import sys
import torch, torch.distributed as dist
from ganeval.training.gan import step
from ganeval.training.loader import Loader
from ganeval.training.loop import train
from small_models import SMALL, small_data, small_model

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()

# Halves of a batch give the step of the whole batch.
net = torch.nn.Linear(3, 1)
torch.nn.init.ones_(net.weight), torch.nn.init.zeros_(net.bias)
optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
x = torch.arange(12.0).view(4, 3)
for _ in range(3):
    step(optimizer, net(x[2 * rank : 2 * rank + 2]).square().mean())
weights = {"linear": net.weight.detach()}

# All models, batch normalization and two calls of a discriminator included, stay equal in both processes.
for name, (size, _) in SMALL.items():
    model = small_model(name)
    data = small_data(model.task, size)
    torch.manual_seed(rank)
    loader = Loader(data.train, data.spec, batch_size=model.config.batch_size, rank=rank, world_size=2)
    train(model, loader, num_steps=3)
    weights |= {f"{name}.{key}": value.detach() for key, value in model.named_parameters()}
torch.save(weights, f"{sys.argv[1]}/{rank}.pt")
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    folder = tmp_path_factory.mktemp("processes")
    (folder / "worker.py").write_text(WORKER)
    done = torchrun(folder / "worker.py", folder)
    assert done.returncode == 0, done.stderr
    return torch.load(folder / "0.pt"), torch.load(folder / "1.pt")


@pytest.mark.slow
def test_two_halves_of_a_batch_take_the_step_of_the_whole(weights: tuple[dict[str, torch.Tensor], ...]) -> None:
    net = torch.nn.Linear(3, 1)
    torch.nn.init.ones_(net.weight)
    torch.nn.init.zeros_(net.bias)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    x = torch.arange(12.0).view(4, 3)
    for _ in range(3):
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(weights[0]["linear"], net.weight.detach())


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_the_weights_of_both_processes_are_the_same_bits(name: str, weights: tuple[dict[str, torch.Tensor], ...]) -> None:
    keys = [key for key in weights[0] if key.startswith(f"{name}.")]
    assert keys
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in keys)


@pytest.mark.slow
def test_a_run_of_two_processes_leaves_one_folder_and_goes_on_as_two(tmp_path: Path) -> None:
    data = small_data("images", 8)
    for part, split in (("train", data.train), ("test", data.test)):
        (tmp_path / "data" / part).mkdir(parents=True)
        for index, image in enumerate(stacked(split.images)):
            write_png(tmp_path / "data" / part / f"{index}.png", image)
    options = [
        "--data",
        tmp_path / "data",
        "--config",
        "paper",
        "--image-size",
        8,
        "--extractor",
        "tiny",
        "--batch-size",
        4,
        "--device",
        "cpu",
    ]
    options += ["--num-steps", 6, "--score-every", 3, "--num-fakes-training", 12, "--quiet"]
    done = torchrun("-m", "ganeval", "train-and-score", "gan", *map(str, options), "--json", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "fd_tiny" in json.loads(done.stdout)["scores"]
    assert [json.loads(line)["step"] for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines()] == [0, 3, 6]
    assert len(load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["random"]) == 2
    config = (tmp_path / "run" / "config.json").read_bytes()
    fewer = torchrun("-m", "ganeval", "train", "gan", "--resume", tmp_path / "run", "--num-steps", "8", "--device", "cpu", processes=1)
    assert "of a run with 2 processes and cannot be continued with 1" in fewer.stderr
    assert (tmp_path / "run" / "config.json").read_bytes() == config
    longer = torchrun("-m", "ganeval", "train", "gan", "--resume", tmp_path / "run", "--num-steps", "8", "--device", "cpu", "--quiet")
    assert longer.returncode == 0, longer.stderr
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["step"] == 8
