"""One of two processes dies: the other ends with one sentence, whoever started them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ganeval.images.png import write_png
from ganeval.training.data import stacked
from pictures import pictures, save_all
from small_models import small_data

pytestmark = pytest.mark.slow

# The one that dies joins, does its first part and is killed; nothing tells the other but the silence.
WORKER = """
import os, signal, sys
import torch
from ganeval.cli import main

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if os.environ["RANK"] == sys.argv[1]:
    import ganeval.parts, ganeval.training.loop
    ganeval.parts._part = die  # in the middle of a pass
    ganeval.training.loop.LossLog.add = die  # after the first step
main(sys.argv[2:])
"""


def both(arguments: list[str], *, dying: int) -> list[subprocess.CompletedProcess[str]]:
    """What came of the processes of ranks 0 and 1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WORKER, str(dying), *arguments]
    started = [
        subprocess.Popen(
            command, env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        ended = [process.communicate(timeout=150) for process in started]
    finally:
        for process in started:
            process.kill()
    return [subprocess.CompletedProcess(command, process.returncode, *said) for process, said in zip(started, ended, strict=True)]


@pytest.mark.parametrize(("command", "dying"), [("fid", 1), ("train", 0)])
def test_the_other_process_ends_with_an_error(command: str, dying: int, tmp_path: Path) -> None:
    if command == "fid":
        real = save_all(pictures(80, (32, 32)), tmp_path / "real")
        arguments = ["fid", str(real), str(real), "--extractor", "tiny", "--json", "--quiet"]
    else:
        data = small_data("images", 8)
        for part, split in (("train", data.train), ("test", data.test)):
            (tmp_path / "data" / part).mkdir(parents=True)
            for index, image in enumerate(stacked(split.images)):
                write_png(tmp_path / "data" / part / f"{index}.png", image)
        arguments = f"train gan --data {tmp_path / 'data'} --out {tmp_path / 'run'} --config paper --image-size 8 --batch-size 4".split()
        arguments += ["--num-steps", "1000", "--score-budget", "0", "--extractor", "tiny", "--device", "cpu", "--quiet"]
    ranks = both(arguments, dying=dying)
    assert ranks[dying].returncode == -9
    other = ranks[1 - dying]
    assert other.returncode == 1
    assert other.stdout == ""
    assert "Error: another of the 2 processes has ended or cannot be reached" in other.stderr
    assert "Traceback" not in other.stderr
