"""How busy a GPU is while something runs, as nvidia-smi says."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD_MS = 100
QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0", "-lms", str(PERIOD_MS)]


@contextmanager
def gpu_watched() -> Iterator[Callable[[], float]]:
    """Inside, the first GPU is watched; what is yielded gives afterwards the share of time that it worked.

    The time counts from the first look that finds it at work to the last: without the start of Python and the arithmetic on the CPU.
    """
    found: list[int] = []
    with subprocess.Popen(QUERY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield lambda: busy_share(found)
        finally:
            process.terminate()
            out, _ = process.communicate()
            found += [int(line) for line in out.splitlines() if line.strip().isdigit()]


def busy_share(percents: list[int]) -> float:
    """The mean from the first that is not zero to the last, as a share; 0 where all are zero."""
    busy = [i for i, percent in enumerate(percents) if percent]
    if not busy:
        return 0.0
    during = percents[busy[0] : busy[-1] + 1]
    return sum(during) / (100 * len(during))
