"""Row of benchmarks/speed.py: `ganeval fid` by two processes under torchrun against one, a thread each."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from in_turn import Compared, Run, in_turn, measured_command
from pictures import pictures, save_all
from speed_setup import Row, Setup

NUM = 512  # a side: enough that starting and loading, which are not shared, are a small part of either time
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
SHARED = 1.8  # of two cores; starting up and the distance itself are not shared


def fid(*, processes: int, threads: int, real: Path, fake: Path, weights: Path) -> Run:
    """The command from its start to its end."""
    launch: list[str | Path] = [sys.executable, *(() if processes == 1 else (*TORCHRUN, str(processes)))]
    command: list[str | Path] = ["-m", "ganeval", "fid", real, fake, "--weights", weights, "--device", "cpu", "--no-spread", "--json"]
    env = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return measured_command([*launch, *command], value=_value, env=env)


def _value(printed: str) -> float:
    (line,) = (line for line in printed.splitlines() if line.startswith('{"scores"'))
    return float(json.loads(line)["scores"]["fid"]["value"])


def processes(setup: Setup) -> list[Compared]:
    """Against one process of one thread, which is what two cores should halve, and of two threads, which is what else they could do."""
    real = save_all(pictures(NUM, (32, 32)), setup.folder / "processes" / "real")
    fake = save_all(pictures(NUM, (32, 32), skip=NUM), setup.folder / "processes" / "fake")

    def run(processes: int, threads: int) -> Run:
        return fid(processes=processes, threads=threads, real=real, fake=fake, weights=setup.weights)

    return in_turn(
        f"ganeval fid by 2 processes of 1 thread, 2 × {NUM} pictures of 32×32",
        lambda: run(2, 1),
        {"1 process, 1 thread": lambda: run(1, 1), "1 process, 2 threads": lambda: run(1, 2)},
        targets={"1 process, 1 thread": SHARED},
        rounds=setup.rounds,
    )


ROWS: dict[str, Row] = {"processes": processes}
