"""Reference stats: one file for us, pytorch-fid and TTUR; merged as if never split; refused where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ganeval
from conftest import MeanColor
from ganeval import InputError, load_reference
from ganeval.evaluator import reference_of
from ganeval.reference import merged
from pictures import as_tensor, pictures, save_all


@pytest.fixture
def tiny_file(folders: tuple[Path, Path], tmp_path: Path) -> Path:
    reference_of(folders[0], extractor="tiny").save(tmp_path / "real.npz")
    return tmp_path / "real.npz"


def foreign(path: Path, dim: int = 2048, **keys: Any) -> Path:
    """A file as pytorch-fid and TTUR write it."""
    np.savez(path, mu=np.zeros(dim), sigma=np.eye(dim), **keys)
    return path


def test_stats_from_a_file_score_as_the_images_do(folders: tuple[Path, Path], tiny_file: Path) -> None:
    from_images = ganeval.evaluate(*folders, extractor="tiny")
    from_file = ganeval.evaluate(tiny_file, folders[1], extractor="tiny")
    assert from_file.scores["fd_tiny"].value == pytest.approx(from_images.scores["fd_tiny"].value, rel=1e-12)
    assert from_file.num_real == from_images.num_real == 24
    assert len(from_file.provenance["real"]["reference_sha256"]) == 64


def test_a_file_keeps_the_stats_to_the_last_bit_and_what_they_were_made_with(folders: tuple[Path, Path], tiny_file: Path) -> None:
    made, read = reference_of(folders[0], extractor="tiny"), load_reference(tiny_file)
    assert torch.equal(read.stats.mean, made.stats.mean)
    assert torch.equal(read.stats.covariance, made.stats.covariance)
    assert read.made_with == made.made_with
    assert read.stats.count == 24


def test_other_tools_find_mu_and_sigma(tiny_file: Path, folders: tuple[Path, Path]) -> None:
    with np.load(tiny_file, allow_pickle=False) as file:
        stats = reference_of(folders[0], extractor="tiny").stats
        np.testing.assert_array_equal(file["mu"], stats.mean.numpy())
        np.testing.assert_array_equal(file["sigma"], stats.covariance.numpy())


def test_merged_parts_are_the_whole(tmp_path: Path) -> None:
    images = as_tensor(pictures(20, (32, 32)))
    parts = [reference_of(part, extractor="tiny") for part in images.split([3, 10, 7])]
    whole, total = reference_of(images, extractor="tiny").stats, merged(parts)
    assert total.stats.count == 20
    torch.testing.assert_close(total.stats.mean, whole.mean, rtol=1e-6, atol=1e-7)  # features move in float32 with their batch
    torch.testing.assert_close(total.stats.covariance, whole.covariance, rtol=1e-4, atol=1e-6)
    total.save(tmp_path / "all.npz")
    assert load_reference(tmp_path / "all.npz").stats.count == 20


def test_a_foreign_file_is_taken_for_inception_and_the_report_says_so(standin: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    report = ganeval.evaluate(foreign(tmp_path / "ttur.npz"), folders[1], weights=standin)
    assert report.num_real is None
    assert "unknown number of real" in str(report)
    assert any("does not state how it was made" in note for note in report.notes)


def test_stats_beside_images_are_used_as_adm_uses_them(standin: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    both = foreign(tmp_path / "adm.npz", arr_0=np.zeros((4, 8, 8, 3), np.uint8), mu_s=np.zeros(2023))
    assert ganeval.evaluate(both, folders[1], weights=standin).num_real is None


def refusal(*args: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        ganeval.evaluate(*args, **options)
    return str(caught.value)


def test_stats_of_another_network_are_refused_with_both_named(folders: tuple[Path, Path], tiny_file: Path, tmp_path: Path) -> None:
    class Other(MeanColor):
        name = "other"

    assert "256 features, but the extractor mean-color has 3" in refusal(tiny_file, folders[1], extractor=MeanColor())
    reference_of(folders[0], extractor=MeanColor()).save(tmp_path / "mean.npz")
    assert "made with extractor mean-color, this run uses other" in refusal(tmp_path / "mean.npz", folders[1], extractor=Other())
    assert "so only inception is allowed, not tiny" in refusal(foreign(tmp_path / "x.npz", 256), folders[1], extractor="tiny")


def test_stats_of_another_convention_are_refused_with_both_named(standin: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    reference_of(folders[0], weights=standin, extractor="inception-64").save(tmp_path / "ttur.npz")
    message = refusal(tmp_path / "ttur.npz", folders[1], weights=standin, extractor="inception-64", convention="clean-fid")
    assert "convention ttur against clean-fid" in message
    same_features = ganeval.evaluate(
        tmp_path / "ttur.npz", folders[1], weights=standin, extractor="inception-64", convention="improved-gan"
    )
    assert same_features.num_real == 24


def test_stats_of_other_weights_are_refused(folders: tuple[Path, Path], tiny_file: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from ganeval.extractors.tiny import EMBEDDED

    state = load_file(EMBEDDED)
    state["classifier.bias"] += 1
    save_file(state, tmp_path / "other.safetensors")
    assert "made with weights sha256" in refusal(tiny_file, folders[1], extractor="tiny", weights=tmp_path / "other.safetensors")


def test_references_that_differ_do_not_merge(folders: tuple[Path, Path], tiny_file: Path, tmp_path: Path) -> None:
    mean = reference_of(folders[0], extractor=MeanColor())
    with pytest.raises(InputError, match=r"made with extractor tiny.*with mean-color; they cannot be merged"):
        merged([load_reference(tiny_file), mean])
    with pytest.raises(InputError, match="does not say how many images"):
        merged([load_reference(tiny_file), load_reference(foreign(tmp_path / "x.npz", 256))])


def test_the_same_images_are_not_counted_twice(tiny_file: Path) -> None:
    with pytest.raises(InputError, match="are of the same images"):
        merged([load_reference(tiny_file), load_reference(tiny_file)])


def test_stats_of_one_image_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 2 real images, got 1"):
        reference_of(as_tensor(pictures(1, (32, 32))), extractor="tiny").save(tmp_path / "one.npz")
    assert list(tmp_path.iterdir()) == []


def test_inception_score_needs_images_not_stats(folders: tuple[Path, Path], tiny_file: Path) -> None:
    assert "holds stats, but is_tiny needs the images themselves" in refusal(folders[0], tiny_file, extractor="tiny", metrics=("fid", "is"))


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"mu": np.zeros((2, 2)), "sigma": np.eye(2)}, "expected [dim] and [dim, dim]"),
        ({"mu": np.zeros(2), "sigma": np.eye(3)}, "expected [dim] and [dim, dim]"),
        ({"mu": np.zeros(2, int), "sigma": np.eye(2)}, "expected [dim] and [dim, dim]"),
        ({"mu": np.array([0, np.nan]), "sigma": np.eye(2)}, "NaN or infinite"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 9.0], [0.0, 1.0]])}, "not symmetric"),
        ({"mu": np.array([{}], dtype=object), "sigma": np.eye(1)}, "damaged"),
    ],
    ids=["matrix mean", "dimensions", "integers", "NaN", "asymmetric", "pickle"],
)
def test_arrays_that_are_no_stats_are_refused(arrays: dict[str, Any], why: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError) as caught:
        load_reference(tmp_path / "x.npz")
    assert why in str(caught.value)
    assert "x.npz" in str(caught.value)


def test_a_truncated_file_of_stats_is_refused(tiny_file: Path) -> None:
    tiny_file.write_bytes(tiny_file.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"real\.npz"):
        ganeval.evaluate(tiny_file, tiny_file, extractor="tiny")


def test_a_folder_of_pictures_is_no_file_of_stats(tmp_path: Path) -> None:
    save_all(pictures(2, (32, 32)), tmp_path)
    with pytest.raises(InputError, match="is not a file of stats"):
        load_reference(tmp_path)
