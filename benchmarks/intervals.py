"""How often the stated 95 % intervals hold the truth, by simulation, and how the stated errors compare with the real scatter.

    python benchmarks/intervals.py [--draws 400] [--only KID ...]

The reals are drawn once. Then fakes are drawn anew again and again, and each draw is scored. The truth is the mean of the score over twice
as many other draws of the same size: the bias of a score at that size is no part of what its interval promises. Prints a row for each
score: share of intervals that hold the truth, root mean square of the stated errors over the standard deviation of the values.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import click
import torch
from torch import Tensor

from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.ct import ct
from ganeval.metrics.fld import fld
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.frechet_error import scored_distance
from ganeval.metrics.inception_score import inception_score
from ganeval.metrics.infinity import fid_infinity, is_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, manifold
from ganeval.metrics.mifid import mifid
from ganeval.metrics.uncertainty import scored_mean
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
    apart: float = 0.3  # the classes' centers, in standard deviations of a feature

    def draw(self, number: int, rng: torch.Generator) -> Tensor:
        """float64 [number, dim]."""
        fixed = torch.Generator().manual_seed(7)
        mix = torch.linalg.qr(torch.randn(self.dim, self.dim, generator=fixed, dtype=torch.float64)).Q
        centers = self.apart * torch.randn(3, self.dim, generator=fixed, dtype=torch.float64)
        scale = torch.arange(1, self.dim + 1, dtype=torch.float64) ** -0.5
        noise = torch.randn(number, self.dim, generator=rng, dtype=torch.float64)
        noise = (noise + 0.3 * noise.square() - 0.3) * scale @ mix
        which = torch.randint(3, (number,), generator=rng)
        x: Tensor = centers[which] + self.stretch * noise + self.shift
        return x


@dataclass(frozen=True)
class Case:
    """One simulation; its scores are one or several of the same draw."""

    name: str
    fakes: Population
    number: int  # of fakes
    scores: Callable[[Tensor], Score | dict[str, Score]]
    slow: bool = False

    @property
    def alike(self) -> bool:
        """Whether fakes are distributed as the reals, where errors of the first order are no longer right."""
        return self.fakes in (ALIKE, WIDE)

    def score(self, rng: torch.Generator) -> dict[str, Score]:
        """Of one draw."""
        scores = self.scores(self.fakes.draw(self.number, rng))
        return scores if isinstance(scores, dict) else {"": scores}


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
    others = [case.score(rng) for _ in range(2 * draws)]
    scored = [case.score(rng) for _ in range(draws)]
    return [
        _found(f"{case.name} {key}".strip(), [one[key] for one in scored], statistics.fmean(one[key].value for one in others))
        for key in scored[0]
    ]


def _found(name: str, scores: list[Score], truth: float) -> Found:
    covered = sum(low <= truth <= high for low, high in (score.interval(LEVEL) for score in scores)) / len(scores)
    deviation = statistics.stdev(score.value for score in scores)
    errors = [score.error for score in scores if score.error is not None]
    return Found(name, covered, statistics.fmean(error**2 for error in errors) ** 0.5 / deviation, truth, deviation)


def differences(case: Case, draws: int, *, seed: int = 0) -> float:
    """Stated over real standard error of the difference of two scores: of fakes, and of others made from the same inputs."""
    rng = torch.Generator().manual_seed(seed)
    found: list[float] = []
    stated: list[float] = []
    for _ in range(draws):
        fakes = case.fakes.draw(case.number, rng)
        others = fakes + 0.3 * case.fakes.draw(case.number, rng)
        first, second = case.scores(fakes), case.scores(others)
        assert isinstance(first, Score)
        assert isinstance(second, Score)
        found.append(first.value - second.value)
        stated.append(sum((a - b) ** 2 for a, b in zip(first.deviations or (), second.deviations or (), strict=True)))
    return math.sqrt(statistics.fmean(stated)) / statistics.stdev(found)


def distance(real: FeatureStats, fake: Tensor) -> Score:
    stats = FeatureStats.of(fake)
    return scored_distance(real, stats, fake, value=frechet_distance(real, stats))


def logits(fake: Tensor) -> Tensor:
    """Of a classifier of ten classes that only knows the features."""
    weights = torch.randn(fake.shape[1], 10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return fake @ weights


ALIKE, WIDE = Population(12), Population(96)
OFF, WIDE_OFF = Population(12, shift=0.3, stretch=0.8), Population(96, shift=0.1, stretch=0.9)
NEAR = Population(12, stretch=0.05)  # clusters so tight that MiFID takes them for copies


def cases() -> list[Case]:
    """All of them."""
    real, held_out = ALIKE.draw(400, torch.Generator().manual_seed(1)), ALIKE.draw(300, torch.Generator().manual_seed(2))
    wide_real = WIDE.draw(800, torch.Generator().manual_seed(1))
    stats, wide = FeatureStats.of(real), FeatureStats.of(wide_real)
    few = real[:200]
    return [
        Case("FID, derivatives, N = 20 d", OFF, 240, lambda fake: distance(stats, fake)),
        Case("FID, derivatives, N = 20 d, alike", ALIKE, 240, lambda fake: distance(stats, fake)),
        Case("FID, derivatives, N = 10 d", OFF, 120, lambda fake: distance(stats, fake)),
        Case("FID, left out, N = 3 d", WIDE_OFF, 288, lambda fake: distance(wide, fake), slow=True),
        Case("FID, jackknife, N = d", WIDE_OFF, 96, lambda fake: distance(wide, fake), slow=True),
        Case("FID, jackknife, N = d / 2", WIDE_OFF, 48, lambda fake: distance(wide, fake), slow=True),
        Case("FID, jackknife, N = d / 2, alike", WIDE, 48, lambda fake: distance(wide, fake), slow=True),
        Case("IS, 10 splits", OFF, 1000, lambda fake: inception_score(logits(fake)), slow=True),
        Case("IS, 1 split", OFF, 500, lambda fake: inception_score(logits(fake), num_splits=1)),
        Case("KID, one subset of all", OFF, 200, lambda fake: kid(few, fake, num_subsets=1, subset_size=200), slow=True),
        Case("KID, one subset of all, alike", ALIKE, 200, lambda fake: kid(few, fake, num_subsets=1, subset_size=200), slow=True),
        Case("KID, subsets", OFF, 300, lambda fake: kid(real, fake, num_subsets=10, subset_size=100), slow=True),
        Case("KID, subsets, alike", ALIKE, 300, lambda fake: kid(real, fake, num_subsets=10, subset_size=100), slow=True),
        Case("NAEEM", OFF, 300, lambda fake: manifold(few, fake, NAEEM)._asdict(), slow=True),
        Case("NAEEM, alike", ALIKE, 300, lambda fake: manifold(few, fake, NAEEM)._asdict(), slow=True),
        Case("KYNKAANNIEMI", OFF, 300, lambda fake: manifold(few, fake, KYNKAANNIEMI)._asdict(), slow=True),
        Case("CMMD", OFF, 200, lambda fake: cmmd(few, fake), slow=True),
        Case("CMMD, alike", ALIKE, 200, lambda fake: cmmd(few, fake), slow=True),
        Case("Vendi, N > d", OFF, 300, vendi),
        Case("Vendi, N < d", WIDE_OFF, 80, vendi, slow=True),
        Case("MiFID, above the threshold", OFF, 200, lambda fake: mifid(few, fake, threshold=0.0), slow=True),
        Case("MiFID, below", NEAR, 200, lambda fake: mifid(few, fake, threshold=1.0), slow=True),
        Case("MiFID, N = d / 2", WIDE_OFF, 48, lambda fake: mifid(wide_real, fake, threshold=0.0), slow=True),
        Case("AuthPct", OFF, 200, lambda fake: authpct(few, fake)),
        Case("C_T", OFF, 150, lambda fake: ct(few, held_out, fake), slow=True),
        Case("C_T, alike", ALIKE, 150, lambda fake: ct(few, held_out, fake), slow=True),
        Case("FLD", OFF, 150, lambda fake: fld(few, held_out[:150], fake), slow=True),
        Case("FLD, alike", ALIKE, 150, lambda fake: fld(few, held_out[:150], fake), slow=True),
        Case("FID∞", OFF, 600, lambda fake: fid_infinity(stats, fake), slow=True),
        Case("IS∞", OFF, 600, lambda fake: is_infinity(logits(fake)), slow=True),
    ]


def far() -> list[Case]:
    """Where an interval fails: classes so far apart that a distance is mostly the chance of their shares. No test holds it."""
    reals, fakes = Population(96, apart=1.0), Population(96, shift=0.1, stretch=0.9, apart=1.0)
    stats = FeatureStats.of(reals.draw(800, torch.Generator().manual_seed(1)))
    return [Case("FID, left out, N = 3 d, far classes", fakes, 288, lambda fake: distance(stats, fake))]


def pairs() -> list[Case]:
    """Scores whose differences are compared."""
    real = ALIKE.draw(400, torch.Generator().manual_seed(1))
    stats = FeatureStats.of(real)
    return [
        Case("FID, left out, N = 8 d", OFF, 96, lambda fake: distance(stats, fake)),
        Case("FID, derivatives, N = 20 d", OFF, 240, lambda fake: distance(stats, fake)),
        Case("IS, 10 splits", OFF, 500, lambda fake: inception_score(logits(fake))),
        Case("precision", OFF, 200, lambda fake: manifold(real[:200], fake).precision, slow=True),
        Case("recall", OFF, 200, lambda fake: manifold(real[:200], fake).recall, slow=True),
        Case("mean of a number per image", OFF, 200, lambda fake: scored_mean(fake.square().mean(dim=1))),
    ]


@click.command()
@click.option("--draws", default=400, show_default=True)
@click.option("--only", multiple=True, help="Beginnings of names of scores.")
def main(draws: int, only: tuple[str, ...]) -> None:
    started = time.monotonic()

    def chosen(cases: list[Case]) -> list[Case]:
        return [case for case in cases if not only or case.name.startswith(only)]

    click.echo("| score | 95 % intervals hold the truth | stated error / real | value ± its scatter |\n| --- | ---: | ---: | ---: |")
    for case in chosen([*cases(), *far()]):
        for found in measured(case, draws):
            click.echo(found)
    click.echo("\n| difference of two, made from the same inputs | stated error / real |\n| --- | ---: |")
    for case in chosen(pairs()):
        click.echo(f"| {case.name} | {differences(case, draws):.2f} |")
    click.echo(f"\n{draws} draws, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
