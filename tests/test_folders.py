"""Folders and zips of pictures: how they are split, labelled, cut and resized, and what is said of those that do not fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from ganeval.errors import InputError
from ganeval.training.batch import Task
from ganeval.training.data import stacked
from ganeval.training.datasets import open_data
from ganeval.training.datasets.files import held_out, listed
from ganeval.training.datasets.pictures import FilePictures, Frame
from layouts import picture, reds, same, save, zipped
from pictures import pictures, save_all


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Ten red and ten blue pictures, each class in its folder."""
    found = {f"{name}/{i}.png": picture((200 + i, 0, 0) if name == "red" else (i, 0, 200)) for name in ("red", "blue") for i in range(10)}
    return save(found, tmp_path / "colors")


def test_a_folder_and_its_zip_are_the_same_data_also_below_another_folder(classes: Path) -> None:
    data = open_data(classes, task="classes", image_size=8)
    assert same(data, open_data(zipped(classes), task="classes", image_size=8))
    assert same(data, open_data(zipped(classes, below="some/where/"), task="classes", image_size=8))
    assert data.name == "colors"


def test_classes_are_the_folders_sorted(classes: Path) -> None:
    data = open_data(classes, task="classes", image_size=8)
    assert data.spec.label_names == ("blue", "red")
    for split in (data.train, data.test):
        assert split.labels is not None
        assert [int(level >= 200) for level in reds(split.images)] == split.labels.tolist()
    assert (len(data.train), len(data.test)) == (16, 4)


def test_one_in_ten_is_held_out_the_same_in_any_order(tmp_path: Path) -> None:
    save_all(pictures(100, (32, 32)), tmp_path / "flat")
    files = listed(tmp_path / "flat")
    one, other = held_out(files), held_out(files.only(files.files[::-1]))
    assert (len(one.train.files), len(one.test.files)) == (90, 10)
    assert set(one.test.files) == set(other.test.files)
    assert not set(one.train.files) & set(one.test.files)


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "val")])
def test_folders_named_train_and_test_are_the_official_split(tmp_path: Path, train: str, test: str) -> None:
    found = {f"{split}/{i}.png": picture((level + i, 0, 0)) for split, level in ((train, 0), (test, 100), ("extra", 200)) for i in range(4)}
    data = open_data(save(found, tmp_path / "data"), task="images", image_size=16)
    assert sorted(reds(data.train.images)) == [0, 1, 2, 3]
    assert sorted(reds(data.test.images)) == [100, 101, 102, 103]
    assert data.provenance["notes"] == ["4 pictures in neither folder were left out"]


def test_pictures_that_are_on_both_sides_are_noted_not_removed(tmp_path: Path) -> None:
    found = {f"{split}/{i}.png": picture((i if split == "train" else i + 2, 0, 0)) for split in ("train", "test") for i in range(4)}
    data = open_data(save(found, tmp_path / "data"), task="images", image_size=16)
    assert (len(data.train), len(data.test)) == (4, 4)
    assert data.provenance["notes"] == ["2 pictures are the same in train and test, to the pixel"]


def test_the_provenance_does_not_depend_on_names(tmp_path: Path) -> None:
    found = pictures(8, (32, 32))
    provenances = []
    for folder, order in (("one", found), ("other", found[::-1])):
        both = {"train": order, "test": order}
        save({f"{split}/{i}.png": one for split, some in both.items() for i, one in enumerate(some)}, tmp_path / folder)
        provenances.append(open_data(tmp_path / folder, task="images", image_size=16).provenance)
    assert provenances[0]["train"] == provenances[1]["train"]
    assert {**provenances[0], "name": "", "source": ""} == {**provenances[1], "name": "", "source": ""}


def test_pictures_are_cut_from_the_middle_and_resized(tmp_path: Path) -> None:
    wide = picture((0, 0, 0), (48, 16))
    wide.paste(picture((90, 90, 90)), (16, 0))
    folder = save({f"{i}.png": wide for i in range(6)}, tmp_path / "wide")
    data = open_data(folder, task="images", image_size=8, channels=1, enlarge=1.5)
    assert stacked(data.train.images).shape == (2, 1, 12, 12)
    assert stacked(data.test.images).shape == (4, 1, 8, 8)
    assert set(stacked(data.train.images).flatten().tolist()) == {90}


def test_gray_is_as_pillow_makes_it(tmp_path: Path) -> None:
    found = pictures(6, (32, 32))
    data = open_data(save_all(found, tmp_path / "flat"), task="images", channels=1)
    expected = {one.convert("L").tobytes() for one in found}
    assert {image.numpy().tobytes() for split in (data.train, data.test) for image in stacked(split.images)} == expected


@pytest.mark.parametrize("as_zip", [False, True])
def test_pictures_that_stay_in_their_files_can_be_read_by_workers(tmp_path: Path, as_zip: bool) -> None:
    folder = save_all(pictures(24, (32, 32)), tmp_path / "flat")
    files = listed(zipped(folder) if as_zip else folder)
    lazy = FilePictures(files, Frame(16, 3))
    alone = stacked(lazy)  # opens the zip in this process before the workers do
    together = torch.cat(list(DataLoader(lazy, batch_size=4, num_workers=2)))  # type: ignore[arg-type]
    assert torch.equal(alone, together)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("classes", "one folder per class"),
        ("pairs", "neither two folders"),
        ("domains", "neither two folders"),
        ("attributes", "labels.csv"),
    ],
)
def test_a_flat_folder_is_told_what_the_task_needs(tmp_path: Path, task: Task, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_data(save_all(pictures(6, (32, 32)), tmp_path / "flat"), task=task)


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"flat has 1 pictures to train on .* at least 2"):
        open_data(save_all(pictures(5, (32, 32)), tmp_path / "flat"), task="images")
    found = {f"{split}/{i}.png": picture((i, 0, 0)) for split, num in (("train", 8), ("test", 3)) for i in range(num)}
    with pytest.raises(InputError, match=r"data has 3 pictures to test with .* at least 4"):
        open_data(save(found, tmp_path / "data"), task="images")


def test_a_class_only_in_the_test_split_is_refused(classes: Path) -> None:
    (classes / "train").mkdir()
    for name in ("red", "blue"):
        shutil.copytree(classes / name, classes / "test" / name)
        shutil.move(classes / name, classes / "train" / name)
    shutil.copytree(classes / "test" / "red", classes / "test" / "green")
    with pytest.raises(InputError, match=r"green/0.png .* class that no picture to train on"):
        open_data(classes, task="classes")


def test_a_test_folder_alone_is_refused(tmp_path: Path) -> None:
    found = {f"{folder}/{i}.png": picture((i, 0, 0)) for folder in ("test", "pictures") for i in range(4)}
    with pytest.raises(InputError, match="the folder test and no train"):
        open_data(save(found, tmp_path / "data"), task="images")


def test_bad_pictures_are_named_all_at_once(tmp_path: Path) -> None:
    folder = save_all(pictures(20, (32, 32)), tmp_path / "flat")
    for i in (3, 5):
        (folder / f"{i:05d}.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"pictures in .* cannot be used; repair or remove them:\n  0000[35].png: not a picture"):
        open_data(folder, task="images")
