"""What the standard error of FID costs, beside what the features cost that it is of.

    python benchmarks/error_cost.py WEIGHTS [--num 10000] [--timed 200]

WEIGHTS is a file in the format of the public one. `--timed` drawn pictures go through Inception, in turn with the error of `--num` random
features; prints seconds for `--num` pictures, seconds of distance and of error, and their ratio to the features'.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import torch

import ganeval
from ganeval import FeatureStats, frechet_distance
from ganeval.metrics.frechet_error import scored_distance


@click.command()
@click.argument("weights", type=click.Path(exists=True, path_type=Path))
@click.option("--num", default=10_000, show_default=True)
@click.option("--timed", default=200, show_default=True, help="Pictures whose extraction is timed.")
def main(weights: Path, num: int, timed: int) -> None:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (timed, 3, 32, 32), dtype=torch.uint8, generator=rng)
    scale = torch.arange(1, 2049) ** -0.5
    real, fake = (torch.randn(num, 2048, generator=rng) * scale + shift for shift in (0.0, 0.01))
    evaluator = ganeval.Evaluator(images[:32], weights=weights, spread=False)
    for _ in range(2):
        start = time.perf_counter()
        evaluator.measure(images)
        extraction = (time.perf_counter() - start) * num / timed
        first, second = FeatureStats.of(real), FeatureStats.of(fake)
        start = time.perf_counter()
        value = frechet_distance(first, second)
        distance = time.perf_counter() - start
        start = time.perf_counter()
        score = scored_distance(first, second, fake[:8192] if num > 8192 else fake, value=value)
        error = time.perf_counter() - start
        share = error / extraction
        click.echo(f"{score}: features {extraction:.0f} s, distance {distance:.1f} s, error {error:.1f} s, {share:.3f} of them")


if __name__ == "__main__":
    main()
