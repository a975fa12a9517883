"""Rows of benchmarks/speed.py: `ganeval fid` by two processes of one thread under torchrun, against one process of one thread or two."""

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


def against(threads: int, target: float | None) -> Row:
    """Two processes of one thread against one process of `threads`."""

    def row(setup: Setup) -> list[Compared]:
        real = save_all(pictures(NUM, (32, 32)), setup.folder / "processes" / "real")
        fake = save_all(pictures(NUM, (32, 32), skip=NUM), setup.folder / "processes" / "fake")
        what = f"ganeval fid by 2 processes of 1 thread, 2 × {NUM} pictures of 32×32"
        other = f"1 process of {threads} thread{'s' if threads > 1 else ''}"
        sides = {"real": real, "fake": fake, "weights": setup.weights}
        return in_turn(
            what,
            lambda: fid(processes=2, threads=1, **sides),
            {other: lambda: fid(processes=1, threads=threads, **sides)},
            targets={} if target is None else {other: target},
            rounds=setup.rounds,
        )

    return row


ROWS: dict[str, Row] = {"processes": against(1, SHARED), "processes-or-threads": against(2, None)}
