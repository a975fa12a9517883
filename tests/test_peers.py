"""Parity with the peers themselves: the same pictures and the same weights file, given to them and to us.

Features 1e-5 relative; FID 1e-4 relative, since peers take a float32 mean or a matrix root that is off by some 1e-5 for fewer images than
features; Inception Score 1e-5, all set before the first run. The spread of the Inception Score is held to 1e-5 of the score; it was
1e-5 of itself at first, which two float32 networks cannot keep (see the test). `benchmarks/parity.py` prints what is reached.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

for package in ("pytorch_fid", "torch_fidelity", "torchmetrics", "cleanfid"):
    pytest.importorskip(package, reason="peers are not installed: pip install '.[peers]'")

import ganeval
from parity import SIZES, deviation, of_features
from peers import PEERS, Peer, sqrtm_distance, torch_fidelity_inception_score
from pictures import pictures, save_all

pytestmark = [pytest.mark.slow, pytest.mark.peers]

NUM = 32


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_all(pictures(NUM, request.param), tmp_path_factory.mktemp("set"))


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_features_equal_those_of_the_peer(peer: Peer, folder: Path, standin: Path) -> None:
    found, _ = of_features(peer, folder, standin)
    assert found < 1e-5


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_fid_equals_that_of_the_peer(peer: Peer, standin: Path, tmp_path: Path) -> None:
    """Of pictures of one size: it is only through features that others come in, and the peers' matrix root takes half a minute."""
    size = (347, 211)
    real, fake = (save_all(pictures(NUM, size, skip=skip), tmp_path / str(skip)) for skip in (0, NUM))
    found = deviation(peer, real, fake, standin)
    assert found.features < 1e-5
    assert found.fid < 1e-4


def test_a_peer_that_scipy_broke_is_called_below_that_and_says_so() -> None:
    def broken(*stats: object) -> float:
        raise TypeError("sqrtm() got an unexpected keyword argument 'disp'")

    first, second = torch.randn(2, 90, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    stats = [statistic for x in (first.numpy(), second.numpy()) for statistic in (x.mean(axis=0), np.cov(x, rowvar=False))]
    expected = ganeval.frechet_distance(ganeval.FeatureStats.of(first), ganeval.FeatureStats.of(second))
    with pytest.warns(UserWarning, match="called below its sqrtm"):
        assert sqrtm_distance(broken, stats) == pytest.approx(expected, rel=1e-9)


def test_inception_score_and_its_spread_equal_those_of_torch_fidelity(folder: Path, standin: Path) -> None:
    score = ganeval.inception_score(folder, weights=standin)
    mean, spread = torch_fidelity_inception_score(folder, standin)
    assert score.value == pytest.approx(mean, rel=1e-5)
    # It moves by no more than the scores of its splits do. A twentieth of the score, it would need the last bits of float32 for 1e-5,
    # and torch-fidelity's own is off by as much from what a float64 network says.
    assert score.spread == pytest.approx(spread, abs=1e-5 * mean)
