"""Inception Score: closed forms, and the definition written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ganeval import InputError
from ganeval.metrics.inception_score import inception_score


def logits(num: int = 103, classes: int = 7, seed: int = 0) -> Tensor:
    return 3 * torch.randn(num, classes, generator=torch.Generator().manual_seed(seed))


def test_sure_and_evenly_spread_classes_score_their_number() -> None:
    score = inception_score(1000 * torch.eye(8).repeat(10, 1), num_splits=10, order="stored")
    assert score.value == pytest.approx(8, rel=1e-12)
    assert score.spread == pytest.approx(0, abs=1e-12)


def test_equal_predictions_score_one() -> None:
    assert inception_score(torch.tensor([[1.0, 2.0, 3.0]]).repeat(50, 1)).value == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("ddof", [0, 1])
def test_it_is_the_definition_split_by_split(ddof: int) -> None:
    x = logits().double()
    p = (x.exp() / x.exp().sum(dim=1, keepdim=True)).numpy()
    values = []
    for i in range(10):
        part = p[i * len(p) // 10 : (i + 1) * len(p) // 10]
        values.append(np.exp(np.mean([np.sum(row * np.log(row / part.mean(axis=0))) for row in part])))
    score = inception_score(logits(), order="stored", ddof=ddof)
    assert score.value == pytest.approx(np.mean(values), rel=1e-12)
    assert score.spread == pytest.approx(np.std(values, ddof=ddof), rel=1e-10)


def test_the_seeded_order_is_the_stored_order_of_shuffled_images() -> None:
    shuffle = np.random.RandomState(7).permutation(103)
    assert inception_score(logits(), seed=7) == inception_score(logits()[shuffle], order="stored")
    assert inception_score(logits(), seed=7) != inception_score(logits(), seed=8)


def test_class_sorted_images_score_lower_in_stored_order() -> None:
    sorted_by_class = 1000 * torch.eye(10).repeat_interleave(20, dim=0)
    assert inception_score(sorted_by_class, order="stored").value == pytest.approx(1)
    assert inception_score(sorted_by_class, order="seeded").value > 5


def test_ceil_splits_are_those_of_torch_chunk() -> None:
    values = [inception_score(part, num_splits=1, order="stored").value for part in logits().chunk(10)]
    assert inception_score(logits(), order="stored", split="ceil").value == pytest.approx(np.mean(values), rel=1e-12)


def test_one_split_has_no_sample_spread() -> None:
    assert inception_score(logits(), num_splits=1, ddof=1).spread is None
    assert inception_score(logits(), num_splits=1, ddof=0).spread == 0


def test_a_marginal_that_underflows_does_not_make_the_score_infinite() -> None:
    # The first image gives class 2 the least positive float64; its mean with the second image's 0 is 0, and its logarithm −∞.
    assert inception_score(torch.tensor([[0.0, -744.4], [0.0, -800.0]]), num_splits=1).value == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 300.0, 1e4, 1e30])
def test_no_logits_however_extreme_leave_the_range_of_one_to_the_number_of_classes(scale: float) -> None:
    score = inception_score(scale * logits(21, classes=50))
    assert 1 <= score.value <= 50
    assert score.spread is not None
    assert score.spread >= 0


def test_fewer_images_than_splits_are_refused() -> None:
    with pytest.raises(InputError, match="10 splits of 9 images"):
        inception_score(logits(9))


def test_infinite_logits_are_refused() -> None:
    with pytest.raises(InputError, match="NaN or infinite"):
        inception_score(logits().where(torch.arange(7) > 0, torch.tensor(float("inf"))))
