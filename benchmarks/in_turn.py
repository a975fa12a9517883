"""Ways to the same result, run in turn (A B A B …) in one run of a script, since the speed of a shared machine changes by the minute.

What counts is a ratio: of two times that were taken one after the other, then the median over rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gpu_busy import gpu_watched

Value = float | np.ndarray[Any, Any] | torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one way."""

    seconds: float
    value: Value | None = None  # what it found; None where nothing is to be compared
    peak_mb: float | None = None  # of memory: of a command all, of a function what it took beyond what there was
    gpu_busy: float | None = None  # share of its time, where a GPU was watched


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Our way against one other: times, memory and results."""

    what: str
    against: str
    ratio: float  # their seconds over ours, the median over rounds
    lowest: float
    highest: float
    rounds: int
    seconds: float  # ours, the median
    their_seconds: float
    peak_mb: float | None
    their_peak_mb: float | None
    deviation: float | None  # |ours − theirs| / |theirs|, the largest over rounds
    target: float | None  # of the ratio
    gpu_busy: float | None  # in ours, the median

    def row(self) -> list[str]:
        """As printed, under COLUMNS."""
        peaks = [f"{peak:,.0f} MB" if peak is not None else "" for peak in (self.peak_mb, self.their_peak_mb)]
        return [
            self.what + ("" if self.gpu_busy is None else f"; GPU busy {self.gpu_busy:.0%}"),
            self.against,
            f"{self.ratio:.3g}× ({self.lowest:.3g} to {self.highest:.3g})",
            "" if self.target is None else f"≥ {self.target:g}×",
            f"{self.seconds:.3g} s",
            f"{self.their_seconds:.3g} s",
            *peaks,
            "" if self.deviation is None else f"{self.deviation:.1e}",
        ]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


COLUMNS = ("what", "against", "faster (all rounds)", "target", "ours", "theirs", "our peak", "their peak", "deviation")


def measured(function: Callable[[], Value | None]) -> Run:
    """A run of a function in this process."""
    before = _resident_mb("VmRSS", reset=True)
    start = time.perf_counter()
    value = function()
    seconds = time.perf_counter() - start
    peak = _resident_mb("VmHWM")
    return Run(seconds=seconds, value=value, peak_mb=None if before is None or peak is None else peak - before)


# A process starts with the memory of the one that it was forked from, which may be large here: so a small one comes between.
STOPWATCH = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[2:], stdout=sys.stderr).returncode
about = {"seconds": time.perf_counter() - start, "kb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}
json.dump(about, open(sys.argv[1], "w"))
sys.exit(code)
"""


def measured_command(
    command: Sequence[str | Path],
    *,
    value: Callable[[str], float] | None = None,
    env: Mapping[str, str] | None = None,
    watch_gpu: bool = False,
) -> Run:
    """A run of a command from its start to its end; `value` reads what it found from what it printed.

    Raises:
        RuntimeError: it failed; with what it printed.
    """
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as file:
        stopwatch = [sys.executable, "-S", "-c", STOPWATCH, file.name, *map(str, command)]
        with gpu_watched() if watch_gpu else nullcontext() as busy:
            done = subprocess.run(stopwatch, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        about = json.load(file)
    return Run(
        seconds=about["seconds"],
        value=None if value is None else value(done.stderr),
        peak_mb=about["kb"] / 1024,
        gpu_busy=None if busy is None else busy(),
    )


def in_turn(
    what: str,
    ours: Callable[[], Run],
    others: Mapping[str, Callable[[], Run]],
    *,
    targets: Mapping[str, float] | None = None,
    rounds: int = 3,
    warm: bool = False,
) -> list[Compared]:
    """Ours and each of the others, one after the other, `rounds` times; with `warm` once before, untimed."""
    everyone = {"": ours, **others}
    if warm:
        for way in everyone.values():
            way()
    runs = [{name: way() for name, way in everyone.items()} for _ in range(rounds)]
    return [_compared(what, name, [(one[""], one[name]) for one in runs], (targets or {}).get(name)) for name in others]


def _compared(what: str, against: str, pairs: Sequence[tuple[Run, Run]], target: float | None) -> Compared:
    ratios = [theirs.seconds / ours.seconds for ours, theirs in pairs]
    deviations = [_deviation(ours.value, theirs.value) for ours, theirs in pairs if ours.value is not None and theirs.value is not None]
    busy = [ours.gpu_busy for ours, _ in pairs if ours.gpu_busy is not None]
    peaks = [[run.peak_mb for run in side if run.peak_mb is not None] for side in zip(*pairs, strict=True)]
    return Compared(
        what=what,
        against=against,
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        rounds=len(pairs),
        seconds=statistics.median(ours.seconds for ours, _ in pairs),
        their_seconds=statistics.median(theirs.seconds for _, theirs in pairs),
        peak_mb=max(peaks[0], default=None),
        their_peak_mb=max(peaks[1], default=None),
        deviation=max(deviations, default=None),
        target=target,
        gpu_busy=statistics.median(busy) if busy else None,
    )


def _deviation(ours: Value, theirs: Value) -> float:
    a, b = (np.asarray(value, dtype=np.float64) for value in (ours, theirs))
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def _resident_mb(field: str, *, reset: bool = False) -> float | None:
    """Memory of this process now (VmRSS) or at most since the last reset (VmHWM), where the system says (Linux)."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), None)
