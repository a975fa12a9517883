"""Scores fed batch by batch are those of one pass, whatever the batches, the processes, and the training code around them."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import ganeval
from conftest import MeanColor
from ganeval import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance
from ganeval.errors import InputError, InputTypeError
from ganeval.metrics.class_sums import ClassSums
from ganeval.metrics.inception_score import inception_score
from launch import torchrun

REAL, FAKE = (
    torch.randint(0, high, (60, 3, 16, 16), generator=torch.Generator().manual_seed(high), dtype=torch.uint8) for high in (256, 200)
)
KID = {"subsets": 5, "subset_size": 20}


def fed(metric: Any, *, cut: int = 25) -> Any:
    for part in REAL.split(cut):
        metric.update(part, real=True)
    for part in FAKE.split(cut):
        metric.update(part, real=False)
    return metric


@pytest.mark.parametrize("cut", [1, 7, 32, 60])
def test_whatever_the_batches_a_distance_is_the_evaluators(cut: int) -> None:
    expected = ganeval.fid(REAL, FAKE, extractor="tiny", device="cpu")
    assert float(fed(FrechetInceptionDistance(extractor="tiny"), cut=cut).compute()) == pytest.approx(expected, rel=1e-9)


def test_a_kernel_distance_is_the_evaluators() -> None:
    report = ganeval.evaluate(REAL, FAKE, metrics=("kid",), extractor="tiny", num_subsets=5, subset_size=20)
    mean, deviation = fed(KernelInceptionDistance(extractor="tiny", **KID)).compute()
    (score,) = report.scores.values()
    assert (float(mean), float(deviation)) == pytest.approx((score.value, score.spread), rel=1e-9)


@given(num=st.integers(6, 40), num_splits=st.integers(1, 6), seed=st.integers(0, 2**31), ddof=st.sampled_from([0, 1]))
def test_class_sums_give_the_inception_score_of_images_ordered_by_split(num: int, num_splits: int, seed: int, ddof: int) -> None:
    logits = 3 * torch.randn(num, 5, generator=torch.Generator().manual_seed(seed))
    cut = seed % num
    parts = [ClassSums.of(part, num_splits=num_splits, first=first) for part, first in ((logits[:cut], 0), (logits[cut:], cut))]
    found = (parts[0] + parts[1]).score(ddof=ddof)
    expected = torch.tensor(
        [inception_score(logits[split::num_splits], num_splits=1).value for split in range(num_splits)], dtype=torch.float64
    )
    assert found.value == pytest.approx(expected.mean().item(), rel=1e-9)
    assert found.spread == (pytest.approx(expected.std(correction=ddof).item(), rel=1e-6, abs=1e-9) if num_splits > ddof else None)


def test_an_inception_score_does_not_depend_on_the_batches() -> None:
    scores = []
    for cut in (7, 60):
        metric = InceptionScore(extractor="tiny", splits=3)
        for part in FAKE.split(cut):
            metric.update(part)
        scores.append(float(metric.compute()[0]))
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)  # other batches are other float32 roundings in the network


def test_floats_from_0_to_1_become_the_nearest_gray_levels() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    metric = FrechetInceptionDistance(extractor=MeanColor(), normalize=True)
    for real in (True, False):
        metric.update(levels / 255, real=real)
        metric.update(1 - levels / 255, real=real)
    assert float(metric.compute()) == 0
    plain = FrechetInceptionDistance(extractor=MeanColor(), real=torch.cat([levels, 255 - levels]))
    plain.update(levels)
    plain.update(255 - levels)
    assert (
        metric.get_extra_state()["parts"]["fake"]["state"]["stats"]["mean"].tolist()
        == plain.get_extra_state()["parts"]["fake"]["state"]["stats"]["mean"].tolist()
    )


@pytest.mark.parametrize(
    ("images", "normalize", "sentence"),
    [
        (torch.rand(2, 3, 8, 8), False, "floats in"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), True, r"normalize=True is for floats in \[0, 1\], got uint8"),
        (torch.full((2, 3, 8, 8), 1.5), True, r"values from 1\.5 to 1\.5"),
        (torch.full((2, 3, 8, 8), -0.5), True, r"values from -0\.5"),
    ],
)
def test_another_range_is_refused(images: Tensor, normalize: bool, sentence: str) -> None:
    with pytest.raises(InputError if "values" in sentence else InputTypeError, match=sentence):
        FrechetInceptionDistance(extractor=MeanColor(), normalize=normalize).update(images, real=True)


def test_reset_keeps_the_reals_only_where_that_was_asked_for() -> None:
    for kept in (True, False):
        metric = fed(FrechetInceptionDistance(extractor="tiny", reset_real_features=not kept))
        before = float(metric.compute())
        metric.reset()
        metric.update(FAKE)
        if kept:
            assert float(metric.compute()) == before
        else:
            with pytest.raises(InputError, match="fd_tiny has no real images yet"):
                metric.compute()


def test_a_fixed_real_side_stays_and_takes_no_more(tmp_path: Path) -> None:
    reference = tmp_path / "real.npz"
    ganeval.Evaluator(REAL, extractor="tiny").reference.save(reference)
    for real in (REAL, str(reference)):
        metric = FrechetInceptionDistance(extractor="tiny", real=real)
        metric.update(FAKE)
        expected = float(metric.compute())
        assert expected == pytest.approx(ganeval.fid(REAL, FAKE, extractor="tiny"), rel=1e-9)
        metric.reset()
        metric.update(FAKE)
        assert float(metric.compute()) == expected
        with pytest.raises(InputError, match="leave real=True out"):
            metric.update(REAL, real=True)
    with pytest.raises(InputError, match="holds stats, but kd_tiny needs the images themselves"):
        KernelInceptionDistance(extractor="tiny", real=str(reference))


MADE: list[Callable[[], Any]] = [
    lambda: FrechetInceptionDistance(extractor="tiny"),
    lambda: KernelInceptionDistance(extractor="tiny", **KID),
]


@pytest.mark.parametrize("made", MADE, ids=["fid", "kid"])
def test_a_state_dict_goes_on_where_it_was(made: Callable[[], Any]) -> None:
    whole = fed(made())
    half, file = made(), io.BytesIO()
    half.update(REAL, real=True)
    half.update(FAKE[:25])
    torch.save(half.state_dict(), file)
    file.seek(0)
    other = made()
    other.load_state_dict(torch.load(file, weights_only=True))
    other.update(FAKE[25:])
    assert torch.as_tensor(other.compute()).tolist() == pytest.approx(torch.as_tensor(whole.compute()).tolist(), rel=1e-6)


@pytest.mark.parametrize("made", MADE, ids=["fid", "kid"])
def test_states_merge(made: Callable[[], Any]) -> None:
    first, second = made(), made()
    first.update(REAL[:20], real=True)
    first.update(FAKE)
    second.update(REAL[20:], real=True)
    first.merge_state(second)
    assert torch.as_tensor(first.compute()).tolist() == pytest.approx(torch.as_tensor(fed(made()).compute()).tolist(), rel=1e-6)


@settings(max_examples=15)
@given(
    cuts=st.lists(st.integers(1, 59), max_size=6, unique=True),
    owners=st.lists(st.integers(0, 2), min_size=7, max_size=7),
    floats=st.booleans(),
)
@pytest.mark.parametrize("made", [FrechetInceptionDistance, KernelInceptionDistance, InceptionScore])
def test_any_cut_in_any_number_of_states_has_the_score_of_one_pass(made: Any, cuts: list[int], owners: list[int], floats: bool) -> None:
    """The network is of one picture at a time, so that only sums in float64 are in another order; KID of one subset of all is a sum too."""
    options = {"subsets": 1, "subset_size": 60} if made is KernelInceptionDistance else {"splits": 1} if made is InceptionScore else {}
    parts = [made(extractor=MeanColor(), normalize=floats, **options) for _ in range(3)]
    sides = [(FAKE, False)] if made is InceptionScore else [(REAL, True), (FAKE, False)]
    for images, real in sides:
        for owner, part in zip(owners, images.tensor_split(sorted(cuts)), strict=False):
            parts[owner].update(part / 255 if floats else part, real=real)
    whole = made(extractor=MeanColor(), **options)
    for images, real in sides:
        whole.update(images, real=real)
    parts[0].merge_state(parts[1])
    parts[0].merge_state(parts[2].get_extra_state())
    assert torch.as_tensor(parts[0].compute()).tolist() == pytest.approx(torch.as_tensor(whole.compute()).tolist(), rel=1e-9)


def test_states_of_two_networks_do_not_merge() -> None:
    metric = FrechetInceptionDistance(extractor=MeanColor())
    with pytest.raises(InputError, match=r"made with extractor module, .* cannot go on with extractor mean-color, "):
        metric.merge_state(FrechetInceptionDistance(extractor=Module()))


def test_memory_does_not_grow() -> None:
    def size(state: Any) -> int:
        if isinstance(state, dict):
            return sum(map(size, state.values()))
        return state.numel() * state.element_size() if isinstance(state, Tensor) else 0

    images = torch.randint(0, 256, (9000, 3, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    for metric in (
        FrechetInceptionDistance(extractor=MeanColor()),
        KernelInceptionDistance(extractor=MeanColor()),
        InceptionScore(extractor=MeanColor()),
    ):
        sizes = []
        for _ in range(3):
            metric.update(images)
            sizes.append(size(metric.get_extra_state()))
        assert sizes[1] == sizes[2]
        assert sizes[2] < 8192 * (3 * 4 + 4) + 1000


class Module(nn.Module):
    """A network of somebody's own, as a module."""

    name, dim = "module", 3

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, images: Tensor) -> ganeval.Activations:
        return ganeval.Activations(self.dropout(images.float().mean(dim=(2, 3)) * self.scale))


def test_the_training_code_around_is_left_as_it_was() -> None:
    network = Module().train()
    metric = FrechetInceptionDistance(extractor=network)
    before = torch.random.get_rng_state()
    holder = nn.ModuleDict({"metric": metric})
    holder.train()
    with torch.enable_grad():
        float(fed(metric).compute())
        assert torch.is_grad_enabled()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert network.training
    assert network.scale.grad is None
    assert not list(holder.parameters())  # the network is nobody's to train, to move or to save
    assert float(copy.deepcopy(metric).compute()) == float(metric.compute())


def test_a_score_without_images_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="is_tiny has no fake images yet"):
        InceptionScore(extractor="tiny").compute()
    with pytest.raises(InputError, match="feature is one of 64, 192, 768, 2048, got 100"):
        FrechetInceptionDistance(100)
    with pytest.raises(InputError, match="knows no reals"):
        InceptionScore(extractor="tiny").update(REAL, real=True)
    broken = fed(FrechetInceptionDistance(extractor=Broken(30)))
    with pytest.raises(InputError, match="first for image 30"):
        broken.compute()


class Broken(MeanColor):
    """NaN at one image of each set."""

    def __init__(self, position: int) -> None:
        self.position, self.done = position, 0

    def __call__(self, images: Tensor) -> ganeval.Activations:
        features = super().__call__(images).features
        self.done += len(images)
        if self.done - len(images) <= self.position < self.done:
            features[self.position - self.done] = float("nan")
        return ganeval.Activations(features)


WORKER = """
import torch
from conftest import MeanColor
from ganeval import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance
from ganeval.errors import InputError
from ganeval.processes import joined_processes
from test_streaming import FAKE, KID, REAL, Broken, fed

with joined_processes(torch.device("cpu")) as place:
    share = {0: slice(0, 40), 1: slice(0, 0), 2: slice(40, 60)}[place.rank]  # the second process has nothing
    metrics = [FrechetInceptionDistance(extractor="tiny"), KernelInceptionDistance(extractor="tiny", **KID)]
    for metric in metrics:
        for real, images in ((True, REAL[share]), (False, FAKE[share])):
            if len(images):
                metric.update(images, real=real)
        found = torch.as_tensor(metric.compute())
        alone = type(metric)(extractor="tiny", **(KID if metric.metric == "kid" else {}))
        for real, images in ((True, REAL), (False, FAKE)):
            for part in (images[:40], images[40:]):
                alone.update(part, real=real)
            alone._fold("real" if real else "fake")
        # Alone, its own images only: torch.distributed is not asked.
        expected = torch.as_tensor(alone._score(*(alone._parts[part] for part in alone.parts)).value)
        assert torch.allclose(found.flatten()[0], expected.double(), rtol=1e-6), (found, expected)
    # What goes wrong in one process is said in all, and nobody waits.
    broken = FrechetInceptionDistance(extractor=Broken(3) if place.rank == 1 else MeanColor())
    try:
        fed(broken).compute()
        raise AssertionError("nobody gets here")
    except InputError as error:
        assert "NaN or infinite" in str(error)
"""


@pytest.mark.slow
def test_processes_score_all_images_and_none_waits_for_one_without(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    done = torchrun(script, processes=3)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.peers
def test_it_stands_in_for_torchmetrics(standin: Path) -> None:
    fid = pytest.importorskip("torchmetrics.image.fid", reason="peers are not installed: pip install '.[peers]'")
    theirs = fid.FrechetInceptionDistance(64, feature_extractor_weights_path=str(standin))
    ours = FrechetInceptionDistance(64, weights=standin, convention="torchmetrics")
    scores = []
    for metric in (theirs, ours):
        fed(metric, cut=30)
        scores.append(float(metric.compute()))
        metric.reset()
    assert scores[1] == pytest.approx(scores[0], rel=1e-4)  # of 60 images for 64 features: as for whole tools (tests/test_peers.py)
