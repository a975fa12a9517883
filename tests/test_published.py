"""Published figures, with the public weights. Skipped where these, or CIFAR-10 in its original order, are not at hand.

`ganeval weights fetch` brings the weights; $GANEVAL_CIFAR10 names a folder in which torchvision's CIFAR10 finds the set. Tolerances are
the publishers' own, in the golden files; that of the whole set covers what TensorFlow
(3.1508), numpy (3.1525) and a GPU (3.1457) make of it.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import ganeval
from ganeval.weights import INCEPTION, local_copy

GOLDEN = Path(__file__).with_name("golden")
CIFAR10 = os.environ.get("GANEVAL_CIFAR10")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(local_copy(INCEPTION) is None, reason="the public Inception weights are not on this machine: ganeval weights fetch"),
    pytest.mark.skipif(CIFAR10 is None, reason="CIFAR-10 in its original order is not at hand: set GANEVAL_CIFAR10"),
]


@cache
def cifar10(*, train: bool) -> Tensor:
    from torchvision.datasets import CIFAR10 as Dataset

    assert CIFAR10 is not None
    return torch.from_numpy(Dataset(CIFAR10, train=train).data).permute(0, 3, 1, 2).contiguous()


def subset(images: Tensor, num: int) -> Tensor:
    """torch-fidelity's: drawn by a fixed seed, read in ascending order."""
    chosen = np.random.RandomState(2020).choice(len(images), num, replace=False)
    return images[torch.from_numpy(np.sort(chosen))]


def golden(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("num", [256, 5000])
def test_torch_fidelity_s_figures_for_subsets_of_cifar10(num: int) -> None:
    expected = golden("torch_fidelity_cifar10")[str(num)]
    train, test = (subset(cifar10(train=train), num) for train in (True, False))
    assert ganeval.fid(test, train) == pytest.approx(expected["fid"], abs=expected["fid_tolerance"])
    score = ganeval.inception_score(train)
    assert score.value == pytest.approx(expected["is"], abs=expected["is_tolerance"])
    assert score.spread == pytest.approx(expected["is_spread"], abs=expected["is_tolerance"])


def test_the_published_fid_between_cifar10_train_and_test() -> None:
    expected = golden("cifar10_full")
    found = ganeval.fid(cifar10(train=True), cifar10(train=False), convention="pytorch-fid")
    assert found == pytest.approx(expected["fid"], abs=expected["fid_tolerance"])
