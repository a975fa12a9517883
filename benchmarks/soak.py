"""Whether memory and open files stay flat over long work: a training of the embedded dcgan, and scores of many images.

    python benchmarks/soak.py train --minutes 60 --steps 90000
    python benchmarks/soak.py score --images 100000 --source generator

Each is one process, which asks the kernel (Linux) how much of it is resident and how many handles it has open, every few seconds. A line
is fitted to memory after the first fifth of the work, within which networks, buffers and caches come to their size. Its slope has the
standard error of least squares, too small where neighboring samples are alike.

Flat is, by two standard errors above the slope: under 1 MB per 1,000 steps, and under 1 MB per 10,000 images. One tensor kept for each
step, however small, is about 1 kB; one name kept for each image about 0.1 kB. Handles: no more in the second half than in the first.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

import ganeval
from ganeval.images.png import write_png
from ganeval.progress import Advance, Unit
from ganeval.training import session
from ganeval.training.overseer import Watch
from ganeval.training.settings import settings_for

WARM_UP = 0.2  # share of the work
FEWEST = 10  # samples after the warm-up
ALLOWED_MB = 1.0  # per unit
NARROW = {"g_width": 4, "d_width": 2, "batch_size": 8}
UNITS = {"steps": 1_000, "images": 10_000}


@dataclass
class Meter:
    """Samples of this process: how much was done, resident MB, open handles."""

    what: str  # "steps" or "images"
    every: float  # seconds
    samples: list[tuple[int, float, int]] = field(default_factory=list)
    _last: float = 0.0

    @property
    def unit(self) -> int:
        return UNITS[self.what]

    def at(self, done: int) -> None:
        if time.monotonic() - self._last >= self.every:
            self._last = time.monotonic()
            _hand_back()
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
            self.samples.append((done, resident, len(os.listdir("/proc/self/fd"))))

    def slope(self) -> tuple[float, float]:
        """MB per unit of work after the warm-up, and its standard error."""
        done, resident, _ = np.array(self.samples).T
        settled = done >= WARM_UP * done[-1]
        if settled.sum() < FEWEST:
            raise click.ClickException(f"{settled.sum()} samples after the warm-up are no line, {FEWEST} are; work longer")
        x, y = done[settled] / self.unit, resident[settled]
        x = x - x.mean()
        slope = (x @ y) / (x @ x)
        left = y - y.mean() - slope * x
        return float(slope), float(np.sqrt(left @ left / (len(x) - 2) / (x @ x)))

    def more_handles(self) -> int:
        handles = [one for _, _, one in self.samples]
        half = len(handles) // 2
        return max(handles[half:]) - max(handles[:half])

    def table(self) -> Iterator[str]:
        """A dozen samples, then the line through all, then the verdict."""
        yield f"{self.what:>10}  {'MB':>8}  handles"
        for index in np.linspace(0, len(self.samples) - 1, 12).round().astype(int):
            done, resident, handles = self.samples[index]
            yield f"{done:>10,}  {resident:>8.1f}  {handles:>7}"
        slope, error = self.slope()
        of = f"MB per {self.unit:,} {self.what} after the first {WARM_UP:.0%}, {len(self.samples)} samples"
        yield f"slope {slope:+.3f} ± {error:.3f} {of}; {self.more_handles():+} handles in the second half"
        yield "flat" if slope + 2 * error < ALLOWED_MB and self.more_handles() <= 0 else "NOT FLAT"


def _hand_back() -> None:
    """What the allocator holds for later goes back to the kernel: what is left is in use. Else it comes and goes by some ten MB."""
    with suppress(AttributeError):  # a C library other than glibc
        ctypes.CDLL(None).malloc_trim(0)


class Watched(Watch):
    """Measures at every line of the losses, and asks the run to stop, as Ctrl-C does, when its time is up."""

    def __init__(self, meter: Meter, minutes: float) -> None:
        self._meter, self._minutes, self._end = meter, minutes, math.inf

    def on_start(self, summary: Iterable[str]) -> None:
        self._end = time.monotonic() + 60 * self._minutes

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        self._meter.at(step)
        if time.monotonic() > self._end:
            self._end = math.inf  # once
            os.kill(os.getpid(), signal.SIGTERM)


def trained(folder: Path, *, minutes: float, num_steps: int, every: float = 5.0, **config: Any) -> Meter:
    """A whole run: scores on the way, checkpoints, samples and its page."""
    meter = Meter("steps", every)
    settings = settings_for("dcgan", {"config": {"num_steps": num_steps, **config}})
    outcome = session.start(settings, folder, device="cpu", watch=Watched(meter, minutes))
    num_scores = len((folder / "scores.jsonl").read_text().splitlines())
    click.echo(f"{outcome.step:,} steps, {num_scores} scores; stopped by signal {outcome.stopped_by}", err=True)
    return meter


def scored(source: Any, num_images: int | None, *, every: float = 2.0) -> Meter:
    """A Fréchet distance of one long set of fakes, by the embedded network: its memory does not depend on their number."""
    meter = Meter("images", every)

    @contextmanager
    def progress(what: str, total: int | None, unit: Unit) -> Iterator[Advance]:
        done = 0

        def advance(amount: int) -> None:
            nonlocal done
            done += amount
            if what == "fake":
                meter.at(done)

        yield advance

    real = torch.randint(0, 256, (512, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    evaluator = ganeval.Evaluator(real, extractor="tiny", device="cpu", cache=False, progress=progress)
    click.echo(str(evaluator(source, num_images=num_images)), err=True)
    return meter


def drawing(seed: int = 1) -> Callable[[int], torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return lambda number: torch.randint(0, 256, (number, 3, 32, 32), dtype=torch.uint8, generator=rng)


def linked(folder: Path, num_images: int, *, num_files: int = 500) -> Path:
    """A folder of so many pictures, which are links to a few files."""
    (folder / "files").mkdir(parents=True)
    for index, image in enumerate(drawing()(num_files)):
        write_png(folder / "files" / f"{index}.png", image)
    for index in range(num_images):
        where = folder / "all" / f"{index // 1000:04d}" / f"{index:06d}.png"
        where.parent.mkdir(parents=True, exist_ok=True)
        where.symlink_to(folder / "files" / f"{index % num_files}.png")
    return folder / "all"


@click.group()
def main() -> None:
    """Whether memory and open files stay flat over long work."""
    if not Path("/proc/self/statm").exists():
        raise click.ClickException("memory is read from /proc, which only Linux has")


@main.command()
@click.option("--minutes", default=60.0, show_default=True)
@click.option("--steps", "num_steps", default=90_000, show_default=True, help="An hour of a machine that makes 25 a second.")
@click.option("--narrow", is_flag=True, help="Nets of a sixteenth of the width, batches of 8: as many objects a step, in less time.")
def train(minutes: float, num_steps: int, narrow: bool) -> None:
    """Train the embedded dcgan in its quick configuration."""
    with tempfile.TemporaryDirectory() as folder:
        _told(trained(Path(folder) / "run", minutes=minutes, num_steps=num_steps, **(NARROW if narrow else {})))


@main.command()
@click.option("--images", "num_images", default=100_000, show_default=True)
@click.option("--source", type=click.Choice(["generator", "tensor", "folder"]), default="generator", show_default=True)
def score(num_images: int, source: str) -> None:
    """Score many drawn images."""
    with tempfile.TemporaryDirectory() as folder:
        if source == "generator":
            _told(scored(drawing(), num_images))
        else:
            _told(scored(drawing()(num_images) if source == "tensor" else linked(Path(folder), num_images), None))


def _told(meter: Meter) -> None:
    for line in meter.table():
        click.echo(line)
    sys.exit(line != "flat")


if __name__ == "__main__":
    main()
