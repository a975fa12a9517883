"""Two processes that do the same, with the same threads, leave the same bits: scores, and the weights of every model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pictures import pictures, save_all
from small_models import SMALL

TRAINING = """
import hashlib, torch
from ganeval.training.loader import Loader
from ganeval.training.loop import train
from small_models import SMALL, small_data, small_model

torch.set_num_threads(2)
for name in SMALL:
    model = small_model(name)
    data = small_data(model.task, model.spec.image_size)
    torch.manual_seed(1)
    train(model, Loader(data.train, data.spec, batch_size=model.config.batch_size), num_steps=3)
    digest = hashlib.sha256()
    for value in model.state_dict().values():
        digest.update(value.numpy().tobytes())
    print(name, digest.hexdigest())
"""


def twice(*arguments: str) -> list[str]:
    """What two processes print, one after the other."""
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    done = [subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=env) for _ in range(2)]
    assert done[0].returncode == 0, done[0].stderr
    return [one.stdout for one in done]


@pytest.mark.slow
def test_every_model_trained_by_two_processes_has_the_same_bits() -> None:
    one, other = twice("-c", TRAINING)
    assert [line.split()[0] for line in one.splitlines()] == list(SMALL)
    assert one == other


@pytest.mark.slow
def test_every_score_of_two_processes_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    real, fake, held_out = (str(save_all(pictures(70, (32, 32), skip=skip), tmp_path / str(skip))) for skip in (0, 70, 140))
    every = "fid,is,kid,precision,recall,density,coverage,sfid,vendi,mifid,authpct,cmmd_tiny,fld,ct,is_infinity"
    options = ["--extractor", "tiny", "--metrics", every, "--held-out", held_out, "--subset-size", "20", "--num-splits", "2"]
    one, other = twice("-m", "ganeval", "evaluate", real, fake, *options, "--device", "cpu", "--json", "--quiet")
    assert one == other
