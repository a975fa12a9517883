"""A seed that some generator of random numbers does not take is refused in the beginning, in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from click.testing import CliRunner

import ganeval
from ganeval.cli import main
from ganeval.conventions import CONVENTIONS
from ganeval.metrics import Settings
from ganeval.path_length import Steps
from ganeval.training.settings import settings_for

IMAGES = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
@pytest.mark.parametrize(
    "begin",
    [
        lambda seed: Settings(convention=CONVENTIONS["ttur"], seed=seed),
        lambda seed: Steps(seed=seed),
        lambda seed: settings_for("gan", {"seed": seed}),
        lambda seed: ganeval.Monitor(IMAGES, every=1, seed=seed),
        lambda seed: ganeval.diagnose(IMAGES, seed=seed),
    ],
    ids=["scores", "path length", "training", "monitor", "doctor"],
)
def test_in_python(begin: Callable[[int], object], seed: int) -> None:
    with pytest.raises(ganeval.InputError, match=f"from 0 to 4294967295, got {seed}"):
        begin(seed)


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
@pytest.mark.parametrize(
    "command", ["evaluate a b", "doctor a b", "train gan", "generate run -o out", "ppl run", "fid a b.onnx --num-images 9"]
)
def test_on_the_command_line(command: str, seed: str) -> None:
    option = "--z-seed" if "onnx" in command else "--seed"
    done = CliRunner().invoke(main, [*command.split(), option, seed])
    assert done.exit_code == 2
    assert f"{seed} is not in the range 0<=x<=4294967295" in done.output


def test_the_largest_one_is_taken() -> None:
    report = ganeval.evaluate(IMAGES, IMAGES, metrics=["kid"], subset_size=4, extractor="tiny", seed=2**32 - 1, cache=False)
    assert abs(report.scores["kd_tiny"].value) < 1e-9
