"""One set of pictures has one score: through any source, with any workers, threads, batches and shards (processes: test_parts.py).

The network sees the same runs of pictures whatever the source and the workers: bit for bit. Other batches and other threads sum float32 in
another order: over a dozen layers some 1e-6 of a feature, stated here as 1e-5 of the features' root mean square. What that does to a
Fréchet distance is bounded without knowing anything of the network: its root is a metric (Gelbrich 1990), so it moves by no more than the
distance between the two versions of the fakes, which is at most the root mean square of their differences, times √(N / (N − 1)). Logits
move by as little of theirs, and log p(y|x) by twice that: 1e-4 of an Inception Score.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from test_sources import ROUTES, Route, drawing
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import ganeval
from ganeval.evaluator import Evaluator, reference_of
from ganeval.reference import merged
from ganeval.report import Report
from ganeval.shards import Shard
from pictures import as_tensor, pictures, save_all

NUM = 45  # no multiple of a batch below
METRICS = ("fid", "is", "kid", "precision", "coverage", "sfid", "vendi", "authpct")
OPTIONS: dict[str, Any] = {
    "metrics": METRICS,
    "extractor": "tiny",
    "device": "cpu",
    "cache": False,
    "subset_size": 20,
    "num_subsets": 3,
    "num_splits": 2,
}


@pytest.fixture(scope="module")
def real() -> Tensor:
    return as_tensor(pictures(40, (32, 32), skip=100))


@pytest.fixture(scope="module")
def images() -> Tensor:
    return as_tensor(pictures(NUM, (32, 32)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_all(pictures(NUM, (32, 32)), tmp_path_factory.mktemp("all"))


@pytest.fixture(scope="module")
def expected(real: Tensor, images: Tensor) -> Report:
    return Evaluator(real, **OPTIONS)(images)


# Those left out lay out pictures of their own number; test_sources.py has them.
SAME = {name: route for name, route in ROUTES.items() if "shard" not in name and name not in ("Dataset of pictures", "DataLoader")}


@pytest.mark.parametrize("route", SAME.values(), ids=SAME)
def test_every_source_has_the_same_scores_and_errors(
    route: Route, folder: Path, real: Tensor, images: Tensor, expected: Report, tmp_path: Path
) -> None:
    found = Evaluator(real, **OPTIONS)(route(folder, images, tmp_path))
    assert found.scores == expected.scores


def test_a_generator_has_the_same_scores_and_errors(real: Tensor, images: Tensor, expected: Report) -> None:
    assert Evaluator(real, **OPTIONS)(drawing(images), num_images=NUM).scores == expected.scores


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_number_of_workers_does_not_matter(workers: int, real: Tensor, images: Tensor, expected: Report) -> None:
    loader = DataLoader(TensorDataset(images), batch_size=7, num_workers=workers)
    assert Evaluator(real, **OPTIONS)(loader).scores == expected.scores


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


def features(images: Tensor, *, batch_size: int = 32) -> Tensor:
    one = Evaluator(images, **{**OPTIONS, "metrics": ("kid",)}, batch_size=batch_size).real
    assert one is not None
    found = one.measured["tiny"].features
    assert found is not None
    return found.double()


@pytest.mark.parametrize(
    ("batch_size", "number"),
    [(7, 1), *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((1, 1), (64, 1), (32, 2), (32, 3), (5, 2)))],
)
def test_batches_and_threads_move_a_score_by_the_rounding_of_float32(batch_size: int, number: int, real: Tensor, images: Tensor) -> None:
    smooth = {**OPTIONS, "metrics": ("fid", "is", "vendi", "precision", "coverage", "authpct"), "spread": False}
    with threads(1):
        plain, before, reals_before = Evaluator(real, **smooth)(images).scores, features(images), features(real)
    with threads(number):
        other = Evaluator(real, **smooth, batch_size=batch_size)(images).scores
        after, reals_after = (features(side, batch_size=batch_size) for side in (images, real))
    size = before.square().sum(dim=1).mean().sqrt().item()
    differences = (after - before, reals_after - reals_before)
    moves = [(rows.square().sum(dim=1).mean() * len(rows) / (len(rows) - 1)).sqrt().item() for rows in differences]
    assert max(moves) <= 1e-5 * size
    assert abs(other["fd_tiny"].value ** 0.5 - plain["fd_tiny"].value ** 0.5) <= sum(moves) + 1e-9 * size
    assert other["is_tiny"].value == pytest.approx(plain["is_tiny"].value, rel=1e-4)
    assert other["vendi_tiny"].value == pytest.approx(plain["vendi_tiny"].value, rel=1e-4)  # cosines and their entropy are as smooth
    # Counts hang on distances that differ by more than rounding, among so few pictures.
    for key in ("precision_tiny", "coverage_tiny", "authpct_tiny"):
        assert other[key].value == plain[key].value


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_moves_a_score_by_the_rounding_of_float32(real: Tensor, images: Tensor, expected: Report) -> None:
    found = Evaluator(real, **{**OPTIONS, "device": "cuda"})(images)
    for key in ("fd_tiny", "is_tiny", "vendi_tiny"):
        assert found.scores[key].value == pytest.approx(expected.scores[key].value, rel=1e-4)


@pytest.mark.parametrize("count", [2, 3])
def test_shards_put_together_have_the_distance_of_the_whole(count: int, folder: Path, real: Tensor) -> None:
    options: dict[str, Any] = {"extractor": "tiny", "device": "cpu", "cache": False, "batch_size": 8}
    parts = [reference_of(folder, shard=Shard(index + 1, count), **options) for index in range(count)]
    whole = merged(parts)
    # The same batches; sums in another order, in float64.
    found = ganeval.frechet_distance(reference_of(real, **options).stats, whole.stats)
    assert found == pytest.approx(ganeval.fid(real, folder, **options), rel=1e-9)
