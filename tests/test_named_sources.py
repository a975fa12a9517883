"""Pictures that are named and not only pointed at: patterns, Hugging Face datasets, torchvision's data, webdataset samples."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import ganeval
from conftest import MeanColor
from ganeval import InputError
from ganeval.images import Seen, open_images
from pictures import as_tensor, pictures

NUM = 9
REAL = as_tensor(pictures(NUM, (32, 32), skip=NUM))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of PNG, one picture with alpha and one JPEG that EXIF says is rotated."""
    root = tmp_path_factory.mktemp("classes")
    for index, picture in enumerate(pictures(NUM, (32, 32))):
        path = root / ("cat" if index < 4 else "dog") / f"{index:02d}.png"
        path.parent.mkdir(exist_ok=True)
        picture.putalpha(77) if index == 2 else None
        exif = Image.Exif()
        exif[0x0112] = 6
        if index == 6:
            picture.save(path.with_suffix(".jpg"), exif=exif)
        else:
            picture.save(path)
    return root


def score(source: Any) -> ganeval.Report:
    return ganeval.evaluate(REAL, source, metrics=("fid",), extractor=MeanColor(), batch_size=4)


def check_same(source: Any, folder: Path) -> None:
    """The score, the pixels and the remarks of the folder."""
    expected, found = score(folder), score(source)
    assert found.scores == expected.scores
    for what in ("pixels_sha256", "remarks", "count"):
        assert found.provenance["fake"][what] == expected.provenance["fake"][what]


def classes(source: Any) -> tuple[str, ...] | None:
    seen = Seen()
    list(open_images(source).batches(seen, batch_size=4))
    return seen.classes


def error_of(source: Any) -> str:
    with pytest.raises(InputError) as caught:
        score(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Patterns


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def tarred(files: dict[str, bytes], path: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("pattern", ["*/*", "**/*", "[cd]*/0?.*"])
def test_a_pattern_of_all_pictures_is_the_folder(pattern: str, folder: Path) -> None:
    check_same(folder / pattern, folder)
    assert classes(folder / pattern) == ("cat",) * 4 + ("dog",) * 5


def test_a_pattern_takes_only_what_it_names(folder: Path, tmp_path: Path) -> None:
    check_same(str(folder / "dog/*"), folder / "dog")
    archive = zipped(folder, tmp_path / "x.zip")
    assert score(archive / "dog/*").scores == score(folder / "dog").scores
    assert open_images(archive / "*.jpg").num_images == 1


def test_shards_may_be_named_by_a_pattern(folder: Path, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        tarred({f"{name}/{file.name}": file.read_bytes() for file in (folder / name).iterdir()}, tmp_path / f"{name}.tar")
    check_same(tmp_path / "*.tar", folder)
    assert classes(tmp_path / "*.tar") == classes(folder)


def test_a_pattern_that_names_nothing_says_so(folder: Path, tmp_path: Path) -> None:
    assert "names no file; put it in quotes" in error_of(folder / "*.webp")
    assert "names 2 folders and no file; add /*.png" in error_of(folder / "*")
    (tmp_path / "notes.txt").write_text("x")
    assert "it names 1 files, none with the name of a picture" in error_of(tmp_path / "*.txt")
    assert "none of the 9 pictures" in error_of(zipped(folder, tmp_path / "x.zip") / "*_fake_B.png")


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "set[1]")
    check_same(tmp_path / "set[1]", folder)


@pytest.fixture
def results(folder: Path, tmp_path: Path) -> Path:
    """What the test script of CycleGAN leaves: results/NAME/test_latest/images."""
    images = tmp_path / "results/images"
    images.mkdir(parents=True)
    for index, picture in enumerate(pictures(NUM, (32, 32))):
        for kind in ("real_A", "fake_B", "rec_A"):
            picture.save(images / f"n_{index}_{kind}.png")
    return images


def test_results_are_not_scored_together_with_what_they_were_made_from(results: Path, tmp_path: Path) -> None:
    message = error_of(results)
    assert "mixes fake_B, real_A, rec_A" in message
    assert message.endswith(f"'{results}/*_fake_B.png'")
    assert open_images(results / "*_fake_B.png").num_images == NUM
    deep = error_of(results.parent)
    assert deep.endswith("/**/*_fake_B.png'")
    assert open_images(results.parent / "**/*_fake_B.png").num_images == NUM
    archive = zipped(results.parent, tmp_path / "r.zip")
    assert error_of(archive).endswith("r.zip/**/*_fake_B.png'")
    assert open_images(archive / "**/*_fake_B.png").num_images == NUM
    (tmp_path / "only").mkdir()
    for file in results.glob("*_fake_B.png"):
        shutil.copy(file, tmp_path / "only")
    assert open_images(tmp_path / "only").num_images == NUM


# webdataset


def samples(*endings: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for index, picture in enumerate(pictures(NUM, (32, 32))):
        found |= {f"{index:04d}.{ending}": encoded(picture) for ending in endings}
        found |= {f"{index:04d}.cls": str(index % 3).encode(), f"{index:04d}.json": b"{}"}
    return found


def test_the_classes_of_webdataset_samples_are_those_of_their_cls_files(tmp_path: Path) -> None:
    tarred(samples("png"), tmp_path / "a-000.tar")
    assert classes(tmp_path / "a-000.tar") == ("0", "1", "2") * 3
    tarred(samples("png"), tmp_path / "a-001.tar")
    assert classes(tmp_path / "a-{000..001}.tar") == ("0", "1", "2") * 6
    assert score(tmp_path / "a-000.tar").provenance["fake"]["num_ignored"] == 0  # what lies beside a picture belongs to it


def test_shards_without_classes_have_none(tmp_path: Path) -> None:
    for name in ("a-000.tar", "a-001.tar"):
        tarred({f"{index}.png": encoded(picture) for index, picture in enumerate(pictures(NUM, (32, 32)))}, tmp_path / name)
    assert classes(tmp_path) is None


def test_samples_of_several_pictures_are_refused_and_one_can_be_named(tmp_path: Path) -> None:
    path = tarred(samples("jpg.png", "mask.png"), tmp_path / "a.tar")
    message = error_of(path)
    assert "samples of several pictures (jpg.png, mask.png)" in message
    assert open_images(path / "*.mask.png").num_images == NUM
    frames = {f"clip.{index:04d}.png": encoded(picture) for index, picture in enumerate(pictures(NUM, (32, 32)))}
    assert open_images(tarred(frames, tmp_path / "b.tar")).num_images == NUM


# Hugging Face

Saved = Callable[[Any, Path], str]


@pytest.fixture(scope="module")
def hf(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder as a `datasets.Dataset` with the bytes in it; nothing is asked of any host."""
    os.environ["HF_HOME"] = str(tmp_path_factory.mktemp("hf"))
    pytest.importorskip("datasets")
    return from_parquet(
        written(tmp_path_factory.mktemp("hf") / "x.parquet", {"image": encodings(folder), "text": ["x"] * NUM}, labels(folder))
    )


def encodings(folder: Path) -> list[dict[str, Any] | None]:
    return [{"bytes": file.read_bytes(), "path": None} for file in sorted(folder.rglob("*.*"))]


def labels(folder: Path) -> list[int]:
    return [("cat", "dog").index(file.parent.name) for file in sorted(folder.rglob("*.*"))]


def written(path: Path, columns: dict[str, list[Any]], label: list[int]) -> Path:
    """A .parquet as the `datasets` package writes it; what is called text is that, everything else is pictures."""
    import datasets
    import pyarrow
    from pyarrow import parquet

    types = {name: datasets.Value("string") if name == "text" else datasets.Image() for name in columns}
    features = datasets.Features({**types, "label": datasets.ClassLabel(names=["cat", "dog"])})
    parquet.write_table(pyarrow.table({**columns, "label": label}, schema=features.arrow_schema), path)
    return path


def from_parquet(path: Path) -> Any:
    import datasets

    return datasets.load_dataset("parquet", data_files=str(path), split="train")


def as_dict(dataset: Any, tmp: Path) -> str:
    import datasets

    datasets.DatasetDict({"train": dataset.select([0]), "test": dataset}).save_to_disk(tmp / "x")
    return f"hf:{tmp}/x:test"


def as_saved(dataset: Any, tmp: Path) -> str:
    dataset.save_to_disk(tmp / "x")
    return f"hf:{tmp}/x"


def as_parquet(dataset: Any, tmp: Path) -> str:
    dataset.to_parquet(tmp / "x/data/test-00000-of-00001.parquet")
    return f"hf:{tmp}/x:test"


def as_parquet_file(dataset: Any, tmp: Path) -> str:
    dataset.to_parquet(tmp / "x.parquet")
    return f"hf:{tmp}/x.parquet"


SAVED: dict[str, Saved] = {"dict": as_dict, "dataset": as_saved, "parquet": as_parquet, "parquet file": as_parquet_file}


@pytest.mark.parametrize("saved", SAVED.values(), ids=list(SAVED))
def test_a_dataset_on_this_machine_gives_the_score_and_the_classes_of_its_folder(
    saved: Saved, hf: Any, folder: Path, tmp_path: Path
) -> None:
    spec = saved(hf, tmp_path)
    check_same(spec, folder)
    assert classes(spec) == classes(folder)


def test_a_folder_of_pictures_is_a_dataset_too(hf: Any, folder: Path) -> None:
    check_same(f"hf:{folder}:train", folder)
    assert classes(f"hf:{folder}") == classes(folder)
    assert open_images(f"hf:{folder}:train[:3]").num_images == 3


def test_a_dataset_in_python_is_a_source(hf: Any, folder: Path) -> None:
    check_same(hf, folder)
    check_same(hf.with_format("torch"), folder)
    assert open_images(hf.select([5, 1])).num_images == 2
    with pytest.raises(InputError, match="streams its rows"):
        open_images(hf.to_iterable_dataset())
    with pytest.raises(InputError, match="by a transform"):
        open_images(hf.with_transform(lambda row: row))


def test_the_column_of_pictures_is_found_or_asked_for(hf: Any, tmp_path: Path, folder: Path) -> None:
    two = written(tmp_path / "two.parquet", {"image": encodings(folder)[::-1], "second": encodings(folder)}, labels(folder))
    assert "several columns of pictures, image, second" in error_of(f"hf:{two}")
    check_same(f"hf:{two}:train:second", folder)
    assert "did you mean second?" in error_of(f"hf:{two}:train:secnd")
    none = written(tmp_path / "none.parquet", {"text": ["x"] * NUM}, labels(folder))
    assert "no column of type Image; its columns are text, label" in error_of(f"hf:{none}")


def test_what_is_wrong_with_a_dataset_is_one_sentence(hf: Any, tmp_path: Path, folder: Path) -> None:
    as_dict(hf, tmp_path)
    assert "say which split: there are train, test" in error_of(f"hf:{tmp_path}/x")
    assert "no split is called 'tset'; did you mean test?" in error_of(f"hf:{tmp_path}/x:tset")
    assert "does not exist" in error_of(f"hf:{tmp_path}/nowhere/at/all:test")
    assert "cannot be loaded" in error_of("hf:nobody/nothing:test")  # offline
    assert "cannot be loaded: BuilderConfig 'other' not found" in error_of(f"hf:{folder}/other:train")
    assert "names no dataset" in error_of("hf:")


def test_rows_without_a_picture_are_bad_pictures(hf: Any, tmp_path: Path, folder: Path) -> None:
    rows = [None, {"bytes": None, "path": "no/such.png"}, encodings(folder)[0]]
    path = written(tmp_path / "x.parquet", {"image": rows}, [0, 0, 0])
    with pytest.raises(InputError, match="2 of 3 images in hf:") as caught:
        score(f"hf:{path}")
    assert "00000000: the row has no picture" in str(caught.value)
    assert "no/such.png that the row names is not on this machine" in str(caught.value)


# torchvision


def test_public_data_are_found_where_training_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from test_public_data import idx

    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    raw = tmp_path / "data/MNIST/raw"
    raw.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)
    digits = torch.randint(0, 256, (12, 28, 28), dtype=torch.uint8, generator=generator)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(digits))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(torch.arange(12, dtype=torch.uint8) % 10))
    assert score("torchvision:MNIST:test").scores == score(digits[:, None]).scores
    assert classes("torchvision:MNIST:test") == tuple(str(index % 10) for index in range(12))
    assert score(f"torchvision:MNIST:train:{tmp_path}/data").scores == score(digits[:, None]).scores
    trained = ganeval.open_data("mnist", task="classes").train
    assert torch.equal(torch.stack([trained.images[index] for index in range(12)])[:, :1], digits[:, None])


def test_what_is_wrong_with_public_data_is_one_sentence(tmp_path: Path) -> None:
    assert "did you mean CIFAR10?" in error_of("torchvision:CIFAR_10:test")
    assert "say which split: train, test" in error_of("torchvision:CIFAR10")
    assert "names no dataset; write torchvision:CIFAR10:test" in error_of("torchvision:")
    message = error_of(f"torchvision:CIFAR10:test:{tmp_path}")
    assert f"torchvision's CIFAR10 is not in {tmp_path}" in message
