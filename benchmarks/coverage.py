"""How often the stated 95 % intervals hold the truth, by simulation, and how the stated errors compare with the real scatter.

    python benchmarks/coverage.py [--draws 400] [--only kid ...]

The reals are drawn once. Then fakes are drawn anew again and again, and each draw is scored. The truth is the mean of the score over twice
as many other draws of the same size: the bias of a score at that size is no part of what its interval promises. Prints a row for each
score: share of intervals that hold the truth, root mean square of the stated errors over the standard deviation of the values.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.ct import ct
from ganeval.metrics.fld import fld
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.frechet_influence import scored_distance
from ganeval.metrics.inception_score import inception_score
from ganeval.metrics.infinity import fid_infinity, is_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, Neighborhood, manifold
from ganeval.metrics.mifid import mifid
from ganeval.metrics.vendi import vendi
from ganeval.report import Score
from ganeval.stats import FeatureStats

LEVEL = 0.95


@dataclass(frozen=True)
class Population:
    """Where images come from: three classes of correlated, skewed features of falling variance, moved by `shift` and stretched."""

    dim: int
    shift: float = 0.0
    stretch: float = 1.0

    def draw(self, number: int, rng: torch.Generator) -> Tensor:
        """float64 [number, dim]."""
        fixed = torch.Generator().manual_seed(7)
        mix = torch.linalg.qr(torch.randn(self.dim, self.dim, generator=fixed, dtype=torch.float64)).Q
        centers = 0.3 * torch.randn(3, self.dim, generator=fixed, dtype=torch.float64)
        scale = torch.arange(1, self.dim + 1, dtype=torch.float64) ** -0.5
        noise = torch.randn(number, self.dim, generator=rng, dtype=torch.float64)
        noise = (noise + 0.3 * noise.square() - 0.3) * scale @ mix
        which = torch.randint(3, (number,), generator=rng)
        x: Tensor = centers[which] + self.stretch * noise + self.shift
        return x


def drawn(number: int, dim: int, seed: int, *, shift: float = 0.0, stretch: float = 1.0) -> Tensor:
    return Population(dim, shift, stretch).draw(number, torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class Case:
    """One simulation; its scores are one or several of the same draw."""

    name: str
    draw: Callable[[torch.Generator], Tensor]
    scores: Callable[[Tensor], dict[str, Score]]


@dataclass(frozen=True)
class Found:
    """What a simulation found of one score."""

    name: str
    covered: float  # share of intervals that hold the truth
    ratio: float  # root mean square of the errors over the standard deviation of the values
    truth: float
    deviation: float  # standard deviation of the values

    def __str__(self) -> str:
        return f"| {self.name} | {100 * self.covered:.1f} % | {self.ratio:.2f} | {self.truth:.5g} ± {self.deviation:.2g} |"


def measured(case: Case, draws: int, *, seed: int = 0) -> list[Found]:
    """One row for each score of the case."""
    rng = torch.Generator().manual_seed(seed)
    others = [case.scores(case.draw(rng)) for _ in range(2 * draws)]
    scored = [case.scores(case.draw(rng)) for _ in range(draws)]
    return [
        _found(f"{case.name} {key}".strip(), [one[key] for one in scored], statistics.fmean(one[key].value for one in others))
        for key in scored[0]
    ]


def _found(name: str, scores: list[Score], truth: float) -> Found:
    covered = sum(low <= truth <= high for low, high in (score.interval(LEVEL) for score in scores)) / len(scores)
    deviation = statistics.stdev(score.value for score in scores)
    errors = [score.error for score in scores if score.error is not None]
    return Found(name, covered, statistics.fmean(error**2 for error in errors) ** 0.5 / deviation, truth, deviation)


def case(name: str, fakes: tuple[Population, int], score: Callable[[Tensor], Score]) -> Case:
    population, number = fakes
    return Case(name, lambda rng: population.draw(number, rng), lambda fake: {"": score(fake)})


def distance(real: FeatureStats, fake: Tensor) -> Score:
    stats = FeatureStats.of(fake)
    return scored_distance(real, stats, fake, value=frechet_distance(real, stats))


def neighborhoods(name: str, real: Tensor, fakes: tuple[Population, int], neighborhood: Neighborhood) -> Case:
    population, number = fakes
    return Case(name, lambda rng: population.draw(number, rng), lambda fake: manifold(real, fake, neighborhood)._asdict())


def logits(fake: Tensor) -> Tensor:
    """Of a classifier of ten classes that only knows the features."""
    weights = torch.randn(fake.shape[1], 10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return fake @ weights


def cases() -> list[Case]:
    """All of them, the quick ones first."""
    alike, off = Population(16), Population(16, shift=0.3, stretch=0.8)
    real, held_out = drawn(500, 16, 1), drawn(400, 16, 2)
    stats = FeatureStats.of(real)
    near = Population(16, stretch=0.05)  # of the copies that MiFID punishes
    wide, wide_off = FeatureStats.of(drawn(1000, 128, 1)), Population(128, shift=0.1, stretch=0.9)
    return [
        case("FID, influences, N = 20 d", (off, 320), lambda fake: distance(stats, fake)),
        case("FID, influences, N = 20 d, alike", (alike, 320), lambda fake: distance(stats, fake)),
        case("FID, influences, N = 10 d", (off, 160), lambda fake: distance(stats, fake)),
        case("IS, 10 splits", (off, 1000), lambda fake: inception_score(logits(fake))),
        case("IS, 1 split", (off, 1000), lambda fake: inception_score(logits(fake), num_splits=1)),
        case("CMMD", (off, 300), lambda fake: cmmd(real, fake)),
        case("CMMD, alike", (alike, 300), lambda fake: cmmd(real, fake)),
        case("Vendi, N > d", (off, 400), vendi),
        case("Vendi, N < d", (Population(128), 100), vendi),
        case("AuthPct", (off, 300), lambda fake: authpct(real, fake)),
        neighborhoods("NAEEM", real, (off, 400), NAEEM),
        neighborhoods("KYNKAANNIEMI", real, (off, 400), KYNKAANNIEMI),
        case("FID, jackknife, N = 3 d", (wide_off, 384), lambda fake: distance(wide, fake)),
        case("FID, jackknife, N = d / 2", (wide_off, 64), lambda fake: distance(wide, fake)),
        case("KID, all of them", (off, 200), lambda fake: kid(real[:200], fake, num_subsets=1, subset_size=200)),
        case("KID, all of them, alike", (alike, 200), lambda fake: kid(real[:200], fake, num_subsets=1, subset_size=200)),
        case("KID, subsets", (off, 400), lambda fake: kid(real, fake, num_subsets=20, subset_size=100)),
        case("KID, subsets, alike", (alike, 400), lambda fake: kid(real, fake, num_subsets=20, subset_size=100)),
        case("MiFID, above the threshold", (off, 300), lambda fake: mifid(real, fake, threshold=0.0)),
        case("MiFID, below", (near, 300), lambda fake: mifid(real, fake, threshold=1.0)),
        case("C_T", (off, 300), lambda fake: ct(real, held_out, fake)),
        case("C_T, alike", (alike, 300), lambda fake: ct(real, held_out, fake)),
        case("FLD", (off, 200), lambda fake: fld(real[:300], held_out[:200], fake)),
        case("FLD, alike", (alike, 200), lambda fake: fld(real[:300], held_out[:200], fake)),
        case("FID∞", (off, 600), lambda fake: fid_infinity(stats, fake)),
        case("FID∞, alike", (alike, 600), lambda fake: fid_infinity(stats, fake)),
        case("IS∞", (off, 600), lambda fake: is_infinity(logits(fake))),
    ]


def rows(draws: int, only: Iterable[str] = ()) -> Iterable[Found]:
    chosen = [one for one in cases() if not only or any(one.name.lower().startswith(name.lower()) for name in only)]
    for one in chosen:
        yield from measured(one, draws)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--only", nargs="*", default=(), help="beginnings of names of scores")
    options = parser.parse_args()
    started = time.monotonic()
    print("| score | 95 % intervals hold the truth | stated error / real | value ± its scatter |\n| --- | ---: | ---: | ---: |")  # noqa: T201
    for found in rows(options.draws, options.only):
        print(found, f"  {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
