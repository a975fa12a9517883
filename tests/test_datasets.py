"""Data to train on: every layout that people have, and what is said of those that do not fit."""

from __future__ import annotations

import io
import shutil
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from ganeval.errors import InputError
from ganeval.training.batch import Task
from ganeval.training.data import Stored, TrainingData, stacked
from ganeval.training.datasets import names, open_data
from ganeval.training.datasets.files import held_out, listed
from ganeval.training.datasets.pictures import FilePictures, Frame
from ganeval.training.shapes import ATTRIBUTES, SHAPES, drawn, factors
from pictures import pictures, save_all
from server import serving


def picture(color: tuple[int, int, int], size: tuple[int, int] = (16, 16)) -> Image.Image:
    return Image.new("RGB", size, color)


def strip(left: tuple[int, int, int], right: tuple[int, int, int], *, side: int = 16) -> Image.Image:
    both = picture(left, (2 * side, side))
    both.paste(picture(right, (side, side)), (side, 0))
    return both


def reds(pictures: object) -> list[int]:
    """The first level of each picture."""
    return [int(image[0, 0, 0]) for image in pictures]  # type: ignore[attr-defined]


def save(found: dict[str, Image.Image], folder: Path) -> Path:
    for name, one in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        one.save(folder / name)
    return folder


def zipped(folder: Path, *, below: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, below + file.relative_to(folder).as_posix())
    return path


def same(one: TrainingData, other: TrainingData) -> bool:
    for a, b in ((one.train, other.train), (one.test, other.test)):
        if not torch.equal(stacked(a.images), stacked(b.images)):
            return False
    return one.spec == other.spec


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Ten red and ten blue pictures, each class in its folder."""
    found = {f"{name}/{i}.png": picture((200 + i, 0, 0) if name == "red" else (i, 0, 200)) for name in ("red", "blue") for i in range(10)}
    return save(found, tmp_path / "colors")


# Shapes


@pytest.mark.parametrize("task", ["images", "classes", "pairs", "domains", "attributes"])
def test_shapes_serve_every_task(task: Task) -> None:
    data = open_data("shapes", task=task, image_size=8, enlarge=1.25)
    assert (data.spec.task, data.spec.image_size, data.spec.channels) == (task, 8, 3)
    for split, size, num in ((data.train, 10, 20_000), (data.test, 8, 4_000)):
        sides = [split.images] if split.source is None else [split.images, split.source]
        assert len(sides) == (2 if task in ("pairs", "domains") else 1)
        for side in sides:
            assert len(side) == num
            assert side[0].shape == (3, size, size)
            assert side[0].dtype == torch.uint8
    if task == "classes":
        assert data.spec.label_names == SHAPES
        assert data.train.labels is not None
        assert data.train.labels.dtype == torch.int64
    elif task == "attributes":
        assert data.spec.label_names == ATTRIBUTES
        assert data.train.labels is not None
        assert data.train.labels.dtype == torch.float32
        assert data.train.labels.shape == (20_000, 5)
    else:
        assert data.train.labels is None


def test_shapes_are_those_of_their_factors_and_of_the_seed() -> None:
    data = open_data("shapes", task="attributes", image_size=12, channels=1, attributes=["dark", "large"], seed=4)
    found = factors(range(4_000), seed=4, split="test", task="attributes")
    assert torch.equal(stacked(data.test.images), drawn(found, size=12, channels=1))
    assert data.test.labels is not None
    assert data.test.labels.tolist() == found.attributes[:, [3, 1]].astype(float).tolist()
    assert data.provenance["seed"] == 4


def test_large_shapes_are_drawn_when_asked_for_and_directions_swap_them() -> None:
    forward, back = (open_data("shapes", task="pairs", image_size=256, direction=direction) for direction in ("AtoB", "BtoA"))
    assert not isinstance(forward.train.images, Stored)
    assert forward.train.source is not None
    assert torch.equal(forward.train.source[7], back.train.images[7])
    assert forward.spec.domains == ("outline", "filled")
    assert back.spec.domains == ("filled", "outline")


# Folders and zips


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
    assert (len(data.train), len(data.test)) == (18, 2)


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
    folder = save({f"{i}.png": wide for i in range(4)}, tmp_path / "wide")
    data = open_data(folder, task="images", image_size=8, channels=1, enlarge=1.5)
    assert stacked(data.train.images).shape == (2, 1, 12, 12)
    assert stacked(data.test.images).shape == (2, 1, 8, 8)
    assert set(stacked(data.train.images).flatten().tolist()) == {90}


def test_gray_is_as_pillow_makes_it(tmp_path: Path) -> None:
    found = pictures(4, (32, 32))
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


# Pairs and domains

PAIRS = {f"{i}": ((i, 0, 0), (100 + i, 0, 0)) for i in range(12)}
STRIPS = {f"{split}/{name}.png": strip(*colors) for name, colors in PAIRS.items() for split in ("train", "test")}


def sided(pattern: str, sides: tuple[str, str]) -> dict[str, Image.Image]:
    """Both pictures of each pair, in files of their own."""
    return {
        pattern.format(split=split, side=side, name=name): picture(color)
        for name, colors in PAIRS.items()
        for split in ("train", "test")
        for side, color in zip(sides, colors, strict=True)
    }


LAYOUTS = {
    "strips": STRIPS,
    "trainA": sided("{split}{side}/{name}.png", ("A", "B")),
    "train/A": sided("{split}/{side}/{name}.png", ("A", "B")),
    "any two": sided("{split}/{side}/{name}.png", ("maps", "photos")),
    "source": sided("{split}/{side}/{name}.bmp", ("source", "target")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_every_layout_of_pairs_stays_paired(tmp_path: Path, layout: str, direction: str) -> None:
    data = open_data(save(LAYOUTS[layout], tmp_path / "data"), task="pairs", image_size=8, direction=direction)  # type: ignore[arg-type]
    for split in (data.train, data.test):
        assert split.source is not None
        a, b = (split.source, split.images) if direction == "AtoB" else (split.images, split.source)
        assert sorted(reds(a)) == list(range(12))
        assert [level - 100 for level in reds(b)] == reds(a)


@pytest.mark.parametrize("folders", [("A", "B"), ("real_A_label", "real_B_photo")])
def test_pairs_without_a_split_are_held_out_together(tmp_path: Path, folders: tuple[str, str]) -> None:
    found = {f"{folder}/{i}.png": picture((level + i, 0, 0)) for folder, level in zip(folders, (0, 100), strict=True) for i in range(30)}
    if folders[0] != "A":
        found |= {f"fake_B/{i}.png": picture((0, 0, 0)) for i in range(30)}
    data = open_data(save(found, tmp_path / "data"), task="pairs", image_size=8)
    assert (len(data.train), len(data.test)) == (27, 3)
    assert data.train.source is not None
    assert [level + 100 for level in reds(data.train.source)] == reds(data.train.images)
    assert data.spec.domains == folders


def test_both_pictures_of_a_pair_are_resized_whole(tmp_path: Path) -> None:
    wide = picture((0, 0, 0), (32, 8))
    wide.paste(picture((200, 0, 0), (16, 8)), (0, 0))
    found = {f"{side}/{i}.png": wide for side in "AB" for i in range(4)}
    image = open_data(save(found, tmp_path / "data"), task="pairs", image_size=8).train.images[0]
    assert image[0, 4, :3].tolist() == [200, 200, 203]  # bicubic rings
    assert image[0, 4, -2:].tolist() == [0, 0]


def test_files_without_a_partner_are_named(tmp_path: Path) -> None:
    found = {f"{side}/{i}.png": picture((i, 0, 0)) for side in "AB" for i in range(8)} | {"A/alone.png": picture((9, 0, 0))}
    with pytest.raises(InputError, match=r"1 of 9 pictures .* have no partner in B: alone"):
        open_data(save(found, tmp_path / "data"), task="pairs")


def test_domains_need_no_partners_and_take_strips_too(tmp_path: Path) -> None:
    found = {f"train{side}/{side}{i}.png": picture((i, 0, 0)) for side, num in (("A", 5), ("B", 8)) for i in range(num)}
    found |= {f"test{side}/{side}{i}.png": picture((i, 0, 0)) for side, num in (("A", 2), ("B", 3)) for i in range(num)}
    data = open_data(save(found, tmp_path / "data"), task="domains", image_size=8)
    assert data.train.source is not None
    assert (len(data.train.source), len(data.train.images), len(data.train)) == (5, 8, 8)
    strips = open_data(save(STRIPS, tmp_path / "strips"), task="domains", image_size=8)
    assert max(reds(strips.train.source)) < 100 <= min(reds(strips.train.images))


# Attributes


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return save({f"images/{i:03d}.png": picture((i, 0, 0)) for i in range(20)}, tmp_path / "faces")


def table(rows: dict[str, list[object]], header: str = "filename,Even,Large") -> str:
    return "\n".join([header, *(",".join(map(str, [name, *row])) for name, row in rows.items())]) + "\n"


ROWS: dict[str, list[object]] = {f"{i:03d}.png": [1 - i % 2, int(i > 9)] for i in range(20)}


def celeba(rows: dict[str, list[object]]) -> str:
    lines = [f"{name}  " + "  ".join("1" if value else "-1" for value in row) for name, row in rows.items()]
    return "\n".join([str(len(rows)), "Even Large ", *lines]) + "\n"


@pytest.mark.parametrize("place", ["labels.csv", "images/labels.csv", "../labels.csv", "list_attr_celeba.txt", "zip"])
def test_attributes_are_read_from_the_table_beside_the_pictures(faces: Path, place: str) -> None:
    text = celeba(ROWS) if place.endswith(".txt") else table(ROWS)
    (faces / ("labels.csv" if place == "zip" else place)).write_text(text)
    data = open_data(zipped(faces) if place == "zip" else faces, task="attributes", image_size=16)
    assert data.spec.label_names == ("Even", "Large")
    for split in (data.train, data.test):
        assert split.labels is not None
        assert split.labels.tolist() == [[float(1 - level % 2), float(level > 9)] for level in reds(split.images)]
    chosen = open_data(faces if place != "zip" else faces.with_suffix(".zip"), task="attributes", image_size=16, attributes=["Large"])
    assert chosen.spec.label_names == ("Large",)


def test_the_five_attributes_of_stargan_are_chosen_where_they_are(faces: Path) -> None:
    five = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
    header = ",".join(["filename", "Bald", *five[::-1]])
    (faces / "labels.csv").write_text(table({name: [0, 1, 0, 1, 0, 1] for name in ROWS}, header))
    data = open_data(faces, task="attributes")
    assert data.spec.label_names == tuple(five)
    assert data.train.labels is not None
    assert data.train.labels[0].tolist() == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("rows", "attributes", "message"),
    [
        (ROWS, ["Evn"], "no attribute 'Evn'; did you mean Even"),
        (ROWS | {"003.png": [2, 0]}, [], "Even = '2' of .*003.png"),
        ({name: row for name, row in ROWS.items() if name != "007.png"}, [], "1 of .* pictures are not in .*007.png"),
        (ROWS | {"003.png": [1]}, [], "2 attributes and 1 values for 003.png"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(faces: Path, rows: dict[str, list[object]], attributes: list[str], message: str) -> None:
    (faces / "labels.csv").write_text(table(rows))
    with pytest.raises(InputError, match=message):
        open_data(faces, task="attributes", attributes=attributes)


# What is refused


@pytest.mark.parametrize(
    ("source", "task", "message"),
    [
        ("mnsit", "images", "did you mean mnist"),
        ("cifar-10", "images", "did you mean cifar10"),
        ("no/such/folder", "images", "does not exist"),
        ("", "images", "empty"),
        ("mnist", "pairs", "mnist serves images and classes, not pairs"),
        ("horse2zebra", "pairs", "shapes, facades, maps do"),
        (".", "dreams", "no task is called 'dreams'"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(source: str, task: Task, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_data(source, task=task)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "0×0 pixels"),
        ({"channels": 2}, "got 2"),
        ({"enlarge": 0.5}, "got 0.5"),
        ({"attributes": ["Male"]}, "for the task 'images'"),
        ({"direction": "AtoC"}, "got 'AtoC'"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_data("shapes", task="images", **options)  # type: ignore[arg-type]


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
        open_data(save_all(pictures(3, (32, 32)), tmp_path / "flat"), task="images")


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


# Public data


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
    with pytest.raises(InputError, match=r"fetch http://efrosgans.*maps.tar.gz .*put it at .*maps.tar.gz, or train on a folder"):
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


def test_all_names_say_what_they_serve() -> None:
    assert list(names()) == ["shapes", "mnist", "fashion-mnist", "cifar10", "celeba", "facades", "maps", "horse2zebra"]
    assert all(known.about and known.tasks for known in names().values())
