"""Data with a public address: fetched once, from a server on this machine."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from ganeval.errors import InputError
from ganeval.training.data import stacked
from ganeval.training.datasets import open_data
from layouts import LAYOUTS, STRIPS, picture, reds, save, zipped
from server import serving


def packed(found: dict[str, Image.Image], *, root: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, one in found.items():
            data = io.BytesIO()
            one.save(data, "PNG")
            member = tarfile.TarInfo(f"{root}/{name}")
            member.size = data.tell()
            archive.addfile(member, io.BytesIO(data.getvalue()))
    return buffer.getvalue()


def test_a_public_archive_is_fetched_once_and_its_pictures_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    with serving(packed(STRIPS, root="facades")) as server:
        monkeypatch.setenv("GANEVAL_MIRROR", server.url)
        data = open_data("facades", task="pairs", image_size=8, direction="BtoA")
        assert data.spec.domains == ("labels", "photo")
        assert "train has 12 pictures of one domain, where 400 were published" in data.provenance["notes"]
        images = open_data("facades", task="images", image_size=8)
        assert sorted(reds(images.train.images)) == [100 + i for i in range(12)]
        assert len(server.requests) == 1
    assert sorted(path.name for path in (tmp_path / "data").iterdir() if path.suffix != ".lock") == ["facades"]


def test_a_public_zip_is_read_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    path = zipped(save(LAYOUTS["trainA"], tmp_path / "data"), below="horse2zebra/")
    with serving(path.read_bytes()) as server:
        monkeypatch.setenv("GANEVAL_MIRROR", server.url)
        data = open_data("horse2zebra", task="domains", image_size=8)
    assert data.spec.domains == ("horse", "zebra")
    assert len(data.train) == 12


def test_an_archive_that_would_write_elsewhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    with serving(packed({"../../../outside.png": picture((0, 0, 0))}, root="facades")) as server:
        monkeypatch.setenv("GANEVAL_MIRROR", server.url)
        with pytest.raises(InputError, match="cannot be unpacked"):
            open_data("facades", task="pairs")
    assert not list(tmp_path.rglob("outside.png"))


def test_without_internet_it_is_said_what_to_fetch_and_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")  # nobody listens there
    with pytest.raises(InputError, match=r"fetch https://efrosgans.*maps.tar.gz .*put it at .*maps.tar.gz, or train on a folder"):
        open_data("maps", task="pairs")
    with pytest.raises(InputError, match=r"cifar-10-python.tar.gz into .*data, or train on a folder"):
        open_data("cifar10", task="images")


def idx(values: Tensor) -> bytes:
    return struct.pack(f">I{values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.numpy().tobytes()


def test_mnist_is_read_by_torchvision_from_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    digits = torch.randint(0, 256, (30, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for name, some in (("train", slice(0, 20)), ("t10k", slice(20, 30))):
        (raw / f"{name}-images-idx3-ubyte").write_bytes(idx(digits[some]))
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(idx(torch.arange(30, dtype=torch.uint8)[some] % 10))
    data = open_data("mnist", task="classes")
    assert (data.spec.image_size, data.spec.channels, data.spec.label_names) == (28, 1, tuple("0123456789"))
    assert torch.equal(stacked(data.train.images)[:, 0], digits[:20])
    assert data.test.labels is not None
    assert data.test.labels.tolist() == list(range(10))
    large = open_data("mnist", task="images", image_size=32, channels=3, enlarge=1.25)
    assert stacked(large.train.images).shape == (20, 3, 40, 40)
