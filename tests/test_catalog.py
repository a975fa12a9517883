"""The index of reference stats says what is true of the files beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ganeval
from ganeval import CONVENTIONS, catalog, load_reference
from ganeval.extractors.tiny import EMBEDDED
from ganeval.files import sha256_of
from pictures import DATA
from server import serving

BUNDLED = [entry for entry in catalog.listed().values() if entry.file is not None]
PUBLIC = [entry for entry in catalog.listed().values() if entry.file is None]


@pytest.mark.parametrize("entry", BUNDLED, ids=lambda entry: entry.name)
def test_a_bundled_file_is_the_one_that_was_listed_and_of_today_s_extractor(entry: catalog.Listed) -> None:
    assert sha256_of(entry.path) == entry.sha256
    reference = load_reference(entry.path)
    assert reference.made_with is not None
    assert reference.made_with["extractor"] == entry.extractor == "tiny"
    assert reference.made_with["weights_sha256"] == sha256_of(EMBEDDED)
    assert reference.stats.count is not None
    assert reference.stats.count > reference.stats.dim
    assert np.linalg.eigvalsh(reference.stats.covariance.numpy()).min() > -1e-9


def test_bundled_references_exist() -> None:
    assert {"tiny/cifar10-train", "tiny/mnist-train", "tiny/fashion-mnist-train"} <= {entry.name for entry in BUNDLED}


def test_train_and_test_of_one_set_are_nearer_than_two_sets() -> None:
    def distance(a: str, b: str) -> float:
        return ganeval.frechet_distance(*(load_reference(catalog.named(f"tiny/{name}").path).stats for name in (a, b)))

    for name, other in (("cifar10", "mnist"), ("mnist", "fashion-mnist"), ("fashion-mnist", "cifar10")):
        assert 20 * distance(f"{name}-train", f"{name}-test") < distance(f"{name}-train", f"{other}-train")


@pytest.mark.parametrize("entry", PUBLIC, ids=lambda entry: entry.name)
def test_a_public_file_has_an_address_and_a_known_convention(entry: catalog.Listed) -> None:
    assert entry.url is not None
    assert entry.url.startswith("http")
    assert entry.url.endswith(".npz")
    assert entry.extractor == "inception"
    assert entry.convention in CONVENTIONS


def test_a_public_file_is_fetched_once_and_then_goes_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standin: Path, folders: tuple[Path, Path]
) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    np.savez(tmp_path / "served.npz", mu=np.zeros(2048), sigma=np.eye(2048))
    with serving((tmp_path / "served.npz").read_bytes()) as server:
        entry = catalog.Listed(name="there/x", extractor="inception", convention="clean-fid", about="", url=f"{server.url}/x.npz")
        monkeypatch.setattr(catalog, "listed", lambda: {"there/x": entry})
        assert catalog.fetch("there/x") == catalog.fetch("there/x")
        assert len(server.requests) == 1
    with pytest.raises(ganeval.InputError, match="was made with the convention clean-fid, not ttur; add --convention clean-fid"):
        ganeval.fid("there/x", folders[1], weights=standin)


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="needs celeba-faces.zip from $GANEVAL_DATA")
def test_a_bundled_file_is_what_its_pictures_give() -> None:
    assert DATA is not None
    assert ganeval.fid("tiny/celeba-2500", DATA / "celeba-faces.zip", extractor="tiny") < 1e-6
