"""Rows of benchmarks/speed.py: training steps against the plain loop of the article, and what scores on the way cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from in_turn import Compared, Run, in_turn, measured_command
from pictures import as_tensor, pictures
from speed_setup import Row, Setup

ARTICLE = {"article": "loop of article 002", "detach": "the same with fake.detach()"}


class Way:
    """A process of benchmarks/training_way.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def steps(self, number: int) -> Run:
        """Go on by so many. The time is from asking for the first batch to the last update, every loss read; not of the process's start."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Run(seconds=told["seconds"], value=np.array(told["losses"]).mean(axis=0), peak_mb=self._peak_mb())

    def _peak_mb(self) -> float | None:
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        except OSError:
            return None
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def way(name: str, images: Path, options: Sequence[str]) -> Iterator[Way]:
    command = [sys.executable, str(Path(__file__).with_name("training_way.py")), name, str(images), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Way(process)
        finally:
            process.terminate()


def steps(
    what: str,
    number: int,
    options: str,
    others: Mapping[str, str],
    *,
    side: int = 32,
    num: int = 4096,
    target: float | None = None,
    ours: str = "",
) -> Row:
    """`number` steps a round, after as many to warm up: the same nets, weights, batches and noise on each side.

    Args:
        options: of benchmarks/training_way.py, for all.
        others: way → what it is called; the target is of the first.
        ours: options for ganeval's loop alone.
    """

    def row(setup: Setup) -> list[Compared]:
        images = setup.folder / f"training-{side}.npy"
        np.save(images, as_tensor(pictures(num, (side, side))).numpy())
        with ExitStack() as stack:
            common = options.split()
            own = stack.enter_context(way("ganeval", images, [*common, *ours.split()]))
            peers = {title: stack.enter_context(way(name, images, common)) for name, title in others.items()}
            return in_turn(
                what,
                lambda: own.steps(number),
                {title: lambda peer=peer: peer.steps(number) for title, peer in peers.items()},  # type: ignore[misc]
                targets={} if target is None else {next(iter(peers)): target},
                rounds=setup.rounds,
                warm=True,
            )

    return row


def scoring_share(setup: Setup) -> list[Compared]:
    """`ganeval train dcgan` with all defaults, from its own record: the wall time since the first step against that without scores."""

    def run() -> tuple[Run, float]:
        folder = setup.folder / "run"
        measured_command([sys.executable, "-m", "ganeval", "train", "dcgan", "--quiet", "--out", folder])
        scores, losses = ([json.loads(line) for line in (folder / f"{name}.jsonl").open()] for name in ("scores", "losses"))
        end = max(scores[-1]["seconds"], losses[-1]["seconds"])
        first, others = scores[0]["cost"], sum(score["cost"] for score in scores[1:])
        return Run(seconds=end - first), others

    ours, cost = run()
    (found,) = in_turn(
        f"dcgan by default, scores on the way: {cost / ours.seconds:.1%} of the time, target ≤ 5 %",
        lambda: ours,
        {"training alone": lambda: Run(seconds=ours.seconds - cost)},
        targets={"training alone": 0.95},
        rounds=1,
    )
    return [found]


ROWS = {
    "dcgan-training": steps("dcgan 32×32, article, 1 step of 2048", 1, "--preset article --batch-size 2048", ARTICLE, target=1.5),
    "dcgan-training-128": steps("dcgan 32×32, article, 8 steps of 128", 8, "--preset article --batch-size 128", ARTICLE, target=1.5),
    "dcgan-training-quick": steps("dcgan 32×32, quick, 60 steps of 32", 60, "--preset quick --batch-size 32", ARTICLE, target=1.5),
    "scoring-share": scoring_share,
}
