"""Memory and open files stay flat: a short run of benchmarks/soak.py, which has an hour of it.

The bound, chosen before: 25 MB from the end of the warm-up to the end. Allocators and threads come and go by some MB, which is noise here;
a batch of pictures kept for each step is 25 MB within 260 steps, and for each 32 images scored within 2,100 images.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from soak import NARROW, WARM_UP, Meter, drawing, linked, scored, trained

BOUND_MB = 25


def check_flat(meter: Meter) -> None:
    assert meter.more_handles() <= 0
    work = meter.samples[-1][0]
    slope, error = meter.slope()
    growth = (slope + 2 * error) * work * (1 - WARM_UP) / meter.unit
    assert growth < BOUND_MB, "\n".join(meter.table())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc, which only Linux has")
def test_a_training_with_scores_and_checkpoints_keeps_its_memory_and_handles(tmp_path: Path) -> None:
    meter = trained(tmp_path / "run", minutes=3, num_steps=400, every=0.0, **{**NARROW, "batch_size": 32})
    check_flat(meter)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc, which only Linux has")
@pytest.mark.parametrize("source", ["generator", "folder"])
def test_scoring_keeps_its_memory_and_handles(source: str, tmp_path: Path) -> None:
    if source == "generator":
        check_flat(scored(drawing(), 4_000, every=0.1))
    else:
        check_flat(scored(linked(tmp_path, 4_000, num_files=100), None, every=0.1))


@pytest.mark.parametrize(("growth", "handles", "verdict"), [(0.0, 0, "flat"), (5.0, 0, "NOT FLAT"), (0.0, 1, "NOT FLAT")])
def test_what_grows_is_seen(growth: float, handles: int, verdict: str) -> None:
    meter = Meter(
        "steps", 0.0, [(step, 300 + growth * step / 1_000 + step % 3, 6 + handles * (step > 7_000)) for step in range(0, 10_000, 50)]
    )
    assert list(meter.table())[-1] == verdict
    assert meter.slope()[0] == pytest.approx(growth, abs=0.1)
