"""Shards: jobs that know nothing of each other leave parts that add up to the whole, or not at all."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from test_cli import run, sentence

from ganeval import InputError, load_reference
from ganeval.evaluator import reference_of
from ganeval.reference import Reference, merged
from ganeval.shards import Shard, shard_named
from layouts import zipped
from pictures import as_tensor, pictures, save_all

SMALL = {"extractor": "tiny", "batch_size": 8}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_all(pictures(45, (32, 32)), tmp_path_factory.mktemp("pictures") / "real")


@pytest.fixture(scope="module")
def parts(images: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    for index in (1, 2, 3):
        output = folder / f"part{index}.npz"
        run("stats", "compute", images, "--shard", f"{index}/3", "-o", output, "--extractor", "tiny", "--batch-size", 8)
    return [folder / f"part{index}.npz" for index in (1, 2, 3)]


def test_merged_shards_are_the_stats_of_the_whole_set_in_any_order(images: Path, parts: list[Path], tmp_path: Path) -> None:
    run("stats", "merge", *reversed(parts), "-o", tmp_path / "all.npz")
    found, whole = load_reference(tmp_path / "all.npz"), reference_of(images, **SMALL)  # type: ignore[arg-type]
    assert found.stats.count == whole.stats.count == 45
    scale = whole.stats.covariance.abs().max().item()
    torch.testing.assert_close(found.stats.mean, whole.stats.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.stats.covariance, whole.stats.covariance, rtol=1e-12, atol=1e-12 * scale)
    assert found.made_with is not None
    assert found.made_with["images"]["shards"] == "all 3 of 45 images"
    assert [part["shard"]["index"] for part in found.made_with["images"]["parts"]] == [1, 2, 3]
    run("fid", tmp_path / "all.npz", images, "--extractor", "tiny")


def test_show_says_which_part_a_file_is_of(parts: list[Path], tmp_path: Path) -> None:
    assert json.loads(run("stats", "show", parts[1]).stdout)["of"] == "shard 2/3 of a set, images 17 to 32 of 45"
    run("stats", "merge", *parts, "-o", tmp_path / "all.npz")
    assert json.loads(run("stats", "show", tmp_path / "all.npz").stdout)["of"] == "all the images it was computed from"


def test_a_shard_does_not_pass_for_the_set(images: Path, parts: list[Path]) -> None:
    told = sentence("fid", parts[0], images, "--extractor", "tiny")
    assert "is of shard 1/3 of a set, images 1 to 16 of 45; merge all of them first" in told


def test_missing_shards_are_named_and_nothing_is_written(parts: list[Path], tmp_path: Path) -> None:
    assert "of 3 shards 2, 3 are missing" in sentence("stats", "merge", parts[0], "-o", tmp_path / "all.npz")
    assert "of 3 shards 2 is missing" in sentence("stats", "merge", parts[0], parts[2], "-o", tmp_path / "all.npz")
    assert not list(tmp_path.iterdir())


def test_a_shard_counts_once(parts: list[Path], tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    again.write_bytes(parts[0].read_bytes())
    assert "are both shard 1/3; leave one out" in sentence("stats", "merge", *parts, again, "-o", tmp_path / "all.npz")


def shard(images: Path, index: int, count: int, **options: object) -> Reference:
    return reference_of(images, shard=Shard(index, count), **{**SMALL, **options})  # type: ignore[arg-type]


def test_shards_of_different_sets_or_cuts_are_not_merged(images: Path, tmp_path: Path) -> None:
    other = save_all(pictures(45, (32, 32), skip=45), tmp_path / "other")  # the same names and number
    with pytest.raises(InputError, match="merge the shards of one set"):
        merged([shard(images, 1, 2), shard(other, 2, 2)])
    with pytest.raises(InputError, match="merge the shards of one set"):
        merged([shard(images, 1, 2), shard(images, 2, 3)])
    with pytest.raises(InputError, match="do not meet; compute all with one --batch-size"):
        merged([shard(images, 1, 2), shard(images, 2, 2, batch_size=20)])
    with pytest.raises(InputError, match="is a shard and the stats is of a whole set"):
        merged([shard(images, 1, 2), reference_of(images, **SMALL)])  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0"])
def test_shards_are_numbered_from_one(text: str) -> None:
    with pytest.raises(InputError, match=f"there is no shard {text}: they are numbered 1/"):
        shard_named(text)


@pytest.mark.parametrize("text", ["", "1", "a/b", "-1/4", "1/4/2", "1.5/4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no shard; write 1/4"):
        shard_named(text)


def test_too_many_shards_are_refused_in_all_of_them(images: Path) -> None:
    for index in (1, 6):  # the last would hold the 45th picture only, if batches were of 11
        with pytest.raises(InputError, match="make no 5 shards of at least 2"):
            shard(images, min(index, 5), 5, batch_size=11)


def test_stats_have_no_shards(parts: list[Path]) -> None:
    with pytest.raises(InputError, match="holds stats, which have no shards"):
        shard(parts[0], 1, 2)


@pytest.mark.parametrize("kind", ["folder", "zip", "array"])
def test_a_shard_of_files_that_are_kept_whole_is_still_a_shard(kind: str, images: Path, tmp_path: Path) -> None:
    sources = {"folder": lambda: images, "zip": lambda: zipped(images), "array": lambda: tmp_path / "images.npy"}
    np.save(tmp_path / "images.npy", as_tensor(pictures(45, (32, 32))).numpy())
    source = sources[kind]()
    age = time.time() - 60  # old enough for the clock of the file system
    for file in (source, *(source.iterdir() if source.is_dir() else ())):
        os.utime(file, (age, age))
    assert reference_of(source, **SMALL).stats.count == 45  # type: ignore[arg-type]
    counts = [reference_of(source, shard=Shard(index, 3), **SMALL).stats.count for index in (1, 2, 3)]  # type: ignore[arg-type]
    assert counts == [16, 16, 13]
