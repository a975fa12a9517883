"""LPIPS: the package's own numbers from the same classifier, for pictures given as bytes and as floats alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganeval import InputError
from ganeval.extractors.lpips import BACKBONES, LPIPS, Net, load_lpips
from ganeval.published import ALEXNET, VGG16
from pictures import as_tensor, pictures
from standin_networks import alexnet_state, saved, vgg16_state

CPU = torch.device("cpu")
STATES: dict[Net, Callable[[], dict[str, Tensor]]] = {"vgg": vgg16_state, "alex": alexnet_state}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Net, Path]:
    folder = tmp_path_factory.mktemp("lpips")
    return {net: saved(state(), folder / f"{net}.pth") for net, state in STATES.items()}


def distance(net: Net, files: dict[Net, Path]) -> LPIPS:
    pytest.importorskip("lpips", reason="pip install '.[lpips]'")
    return load_lpips(net, weights_file=files[net], device=CPU)


def two(num: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    images = as_tensor(pictures(2 * num, size))
    return images[:num], images[num:]


def to_float(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore:.*pretrained.*:UserWarning", "ignore:Arguments other than a weight:UserWarning")
@pytest.mark.parametrize("net", BACKBONES)
def test_distances_equal_those_of_the_package(net: Net, files: dict[Net, Path]) -> None:
    lpips: Any = pytest.importorskip("lpips", reason="pip install '.[lpips]'")
    theirs = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    state = torch.load(files[net], weights_only=True)
    # They number the layers as torchvision does, below the name of a stage.
    theirs.net.load_state_dict({name: state[f"features.{name.split('.', 1)[1]}"] for name in theirs.net.state_dict()})
    a, b = two(3, (60, 37))
    with torch.no_grad():
        expected = theirs(to_float(a), to_float(b)).flatten().double()
    torch.testing.assert_close(distance(net, files)(a, b), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("net", BACKBONES)
def test_equal_pictures_are_at_distance_0_and_the_order_of_two_does_not_matter(net: Net, files: dict[Net, Path]) -> None:
    far, (a, b) = distance(net, files), two(3, (48, 40))
    assert far(a, a).tolist() == [0, 0, 0]
    assert far(a, b).dtype == torch.float64
    assert (far(a, b) > 1e-3).all()
    torch.testing.assert_close(far(a, b), far(b, a))


def test_bytes_and_floats_of_the_same_pictures_are_the_same(files: dict[Net, Path]) -> None:
    far, (a, b) = distance("alex", files), two(2, (40, 40))
    assert torch.equal(far(a, b), far(to_float(a), to_float(b)))


def test_more_pairs_than_a_block_are_the_same_as_one_at_a_time(files: dict[Net, Path]) -> None:
    far, (a, b) = distance("alex", files), two(40, (32, 32))
    each = torch.cat([far(x[None], y[None]) for x, y in zip(a, b, strict=True)])
    torch.testing.assert_close(far(a, b), each, rtol=1e-5, atol=0)


def test_what_is_no_pair_of_pictures_is_refused(files: dict[Net, Path]) -> None:
    far, (a, b) = distance("alex", files), two(2, (40, 40))
    for x, y in ((a, to_float(b)), (a, b[:1]), (a[:, :1], b[:, :1]), (a.int(), b.int()), (a[0], b[0])):
        with pytest.raises(TypeError, match="LPIPS"):
            far(x, y)
    with pytest.raises(InputError, match="at least 31×31"):
        far(a[:, :, :30], b[:, :, :30])


@pytest.mark.parametrize(("net", "smallest"), [("vgg", 16), ("alex", 31)])
def test_the_smallest_pictures_that_are_taken_have_a_distance(net: Net, smallest: int, files: dict[Net, Path]) -> None:
    assert distance(net, files)(*two(1, (smallest, smallest))).isfinite().all()


def test_identity_is_that_of_the_classifier_and_a_wrong_file_is_refused(files: dict[Net, Path], tmp_path: Path) -> None:
    found = distance("vgg", files)
    assert (found.name, found.identity.standard) == ("lpips-vgg", False)
    assert (BACKBONES["vgg"].published, BACKBONES["alex"].published) == (VGG16, ALEXNET)
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth does not hold the weights of torchvision's vgg16"):
        load_lpips("vgg", weights_file=tmp_path / "x.pth", device=CPU)


def test_without_the_package_or_with_other_heads_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = [name for name in sys.modules if name.split(".")[0] == "lpips"]
    for name in imported:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(InputError, match=r"LPIPS needs lpips; install it with: pip install 'ganeval\[lpips\]'"):
        load_lpips("vgg", device=CPU)
    (tmp_path / "lpips" / "weights" / "v0.1").mkdir(parents=True)
    (tmp_path / "lpips" / "__init__.py").write_text("raise ImportError('this package is not to be imported')")
    (tmp_path / "lpips" / "weights" / "v0.1" / "vgg.pth").write_bytes(b"other heads")
    with pytest.raises(InputError, match=r"is not the published file of LPIPS v0\.1"):
        load_lpips("vgg", device=CPU)
