"""Our Inception-v3 against torchvision's layer names, its own taps, and the batch it happens to be in."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision

import ganeval
from ganeval import CONVENTIONS, InputError
from ganeval.extractors.inception import TAPS, InceptionExtractor, InceptionV3, load
from ganeval.forward import inference
from marks import slow_except
from pictures import as_tensor, pictures

CPU = torch.device("cpu")


def extractor(weights: Path, *, convention: str = "ttur", tap: int = 2048, logits_bias: bool = False) -> InceptionExtractor:
    return load(convention=replace(CONVENTIONS[convention], logits_bias=logits_bias), weights_file=weights, device=CPU, tap=tap)


def test_layers_are_those_of_torchvision_with_1008_classes() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.Inception3(num_classes=1008, aux_logits=False, init_weights=False).state_dict()
        ours = InceptionV3().state_dict()
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}


def test_features_do_not_depend_on_the_batch(standin: Path) -> None:
    images = as_tensor(pictures(6, (32, 32)))
    net = extractor(standin)
    with inference(net, torch.device("cpu")):
        whole = net(images)
        for size in (1, 4):
            parts = [net(part) for part in images.split(size)]
            torch.testing.assert_close(torch.cat([part.features for part in parts]), whole.features, rtol=1e-5, atol=1e-6)


def plain(weights: Path, *, tap: int = 2048) -> InceptionExtractor:
    """Convolution and batch normalization apart, one memory format, the layers as the state dict has them."""
    net = InceptionV3(tap=tap)
    net.load_state_dict(torch.load(weights, weights_only=True))
    identity = extractor(weights).identity
    return InceptionExtractor(net, convention=CONVENTIONS["ttur"], identity=identity)


@pytest.mark.parametrize("tap", slow_except(TAPS, 2048))
def test_the_fused_network_says_what_the_plain_one_does(tap: int, standin: Path) -> None:
    images = as_tensor(pictures(17, (32, 32)))  # more than one batch of the fused body, and a rest
    with inference(extractor(standin), CPU):
        fused, unfused = extractor(standin, tap=tap)(images), plain(standin, tap=tap)(images)
    for ours, theirs in zip(fused, unfused, strict=True):
        if theirs is not None:
            assert ours is not None
            assert ((ours - theirs).norm(dim=1) / theirs.norm(dim=1)).max() < 1e-5
    assert (fused.logits is None) == (unfused.logits is None)


@pytest.mark.slow
def test_a_fid_by_the_fused_network_is_that_of_the_plain_one(standin: Path, folders: tuple[Path, Path]) -> None:
    unfused = ganeval.fid(*folders, extractor=plain(standin))
    assert ganeval.fid(*folders, weights=standin) == pytest.approx(unfused, rel=1e-6)


def test_taps_have_their_dimensions_and_only_the_last_has_logits(standin: Path) -> None:
    images = as_tensor(pictures(2, (32, 32)))
    for tap in TAPS:
        net = extractor(standin, tap=tap)
        with inference(net, torch.device("cpu")):
            features, logits, spatial = net(images)
        assert features.shape == (2, tap)
        assert net.name == ("inception" if tap == 2048 else f"inception-{tap}")
        assert (logits is None) == (spatial is None) == (tap != 2048)
        assert spatial is None or spatial.shape == (2, 7 * 17 * 17)


def test_the_bias_is_added_to_the_logits_only_when_asked(standin: Path) -> None:
    images = as_tensor(pictures(2, (32, 32)))
    plain, biased = extractor(standin), extractor(standin, logits_bias=True)
    with inference(plain, torch.device("cpu")):
        (features, without, _), with_bias = plain(images), biased(images).logits
    bias = torch.load(standin, weights_only=True)["fc.bias"]
    assert without is not None
    torch.testing.assert_close(with_bias, without + bias, rtol=1e-4, atol=1e-4)
    assert features.shape == (2, 2048)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_each_convention_feeds_the_network_what_it_says(name: str, standin: Path) -> None:
    flat = torch.full((1, 3, 40, 50), 255, dtype=torch.uint8)
    fed = extractor(standin, convention=name).prepare(flat)
    expected = 1.0 if CONVENTIONS[name].normalization == "2x/255-1" else 127 / 128
    assert fed.shape == (1, 3, 299, 299)
    torch.testing.assert_close(fed, torch.full_like(fed, expected))


def test_weights_of_another_network_are_refused_with_the_first_difference(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth does not hold the weights of this Inception-v3.*Missing key"):
        load(convention=CONVENTIONS["ttur"], weights_file=tmp_path / "x.pth", device=CPU)


def test_weights_of_one_s_own_are_marked_in_report_and_provenance(standin: Path, folders: tuple[Path, Path]) -> None:
    report = ganeval.evaluate(*folders, weights=standin, extractor="inception-64")
    assert report.provenance["weights_standard"] is False
    assert len(report.provenance["weights_sha256"]) == 64
    assert "not the standard weights" in str(report)
    assert set(report.scores) == {"fd_inception_64"}
    assert math.isfinite(report.scores["fd_inception_64"].value)


def test_early_taps_have_no_inception_score(standin: Path, folders: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="no class logits"):
        ganeval.inception_score(folders[1], weights=standin, extractor="inception-64")


def test_nan_weights_give_no_score_but_a_sentence(standin: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    state = torch.load(standin, weights_only=True)
    state["Conv2d_1a_3x3.conv.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(InputError, match=r"NaN or infinite features, first for 00000\.png; check the weights"):
        ganeval.fid(*folders, weights=tmp_path / "nan.pth", extractor="inception-64")
