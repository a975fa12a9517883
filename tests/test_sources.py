"""Every route into ganeval: the same pictures give the same score, bit for bit, and wrong input gives one clear sentence."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

import ganeval
from conftest import MeanColor
from ganeval import InputError
from ganeval.images import Seen, open_images, to_uint8
from pictures import as_tensor, pictures, save_all

NUM = 11  # no multiple of any batch size below


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in nested folders, with endings in several cases; the sorted order is a/0.png … b/10.PNG."""
    root = tmp_path_factory.mktemp("nested")
    for i, picture in enumerate(pictures(NUM, (32, 32))):
        path = root / ("a" if i < 5 else "b/deep") / (f"{i:02d}.png" if i % 2 else f"{i:02d}.PNG")
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    return root


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return as_tensor(pictures(NUM, (32, 32)))


class Pictures(Dataset[tuple[Any, int]]):
    """As torchvision's datasets give them: (Pillow picture, label)."""

    def __len__(self) -> int:
        return NUM

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return pictures(NUM, (32, 32))[index], 0


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.*"), reverse=True):  # stored in another order on purpose
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def tarred(folder: Path, path: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for file in sorted(folder.rglob("*.*"), reverse=True):
            archive.add(file, file.relative_to(folder).as_posix())
    return path


def shards(folder: Path, where: Path) -> Path:
    where.mkdir()
    for i, part in enumerate(("a", "b")):
        with tarfile.open(where / f"data-{i:04d}.tar", "w") as archive:
            archive.add(folder / part, part)
    return where


def saved(array: np.ndarray[Any, Any], path: Path, **keys: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        np.savez_compressed(path, array, **keys)
    return path


def drawing(images: torch.Tensor) -> Callable[[int], torch.Tensor]:
    rest = iter(images)
    return lambda n: torch.stack([next(rest) for _ in range(n)])


Route = Callable[[Path, torch.Tensor, Path], Any]
ROUTES: dict[str, Route] = {
    "folder": lambda folder, images, tmp: folder,
    "zip": lambda folder, images, tmp: zipped(folder, tmp / "x.zip"),
    "tar": lambda folder, images, tmp: tarred(folder, tmp / "x.tar"),
    "tar.gz": lambda folder, images, tmp: tarred(folder, tmp / "x.tar.gz", "w:gz"),
    "tar.xz": lambda folder, images, tmp: tarred(folder, tmp / "x.tar.xz", "w:xz"),
    "folder of shards": lambda folder, images, tmp: shards(folder, tmp / "shards"),
    "shard pattern": lambda folder, images, tmp: shards(folder, tmp / "shards") / "data-{0000..0001}.tar",
    "npy NHWC": lambda folder, images, tmp: saved(images.permute(0, 2, 3, 1).numpy(), tmp / "x.npy"),
    "npy NCHW": lambda folder, images, tmp: saved(images.numpy(), tmp / "x.npy"),
    "npz as ADM writes it": lambda folder, images, tmp: saved(images.permute(0, 2, 3, 1).numpy(), tmp / "x.npz", arr_1=np.zeros(NUM)),
    "tensor": lambda folder, images, tmp: images,
    "numpy array": lambda folder, images, tmp: images.numpy(),
    "Dataset of pictures": lambda folder, images, tmp: Pictures(),
    "Dataset of tensors": lambda folder, images, tmp: TensorDataset(images),
    "DataLoader": lambda folder, images, tmp: DataLoader(TensorDataset(images, torch.zeros(NUM)), batch_size=4),
    "list of batches": lambda folder, images, tmp: list(images.split(3)),
    "iterator of dictionaries": lambda folder, images, tmp: ({"image": batch} for batch in images.split(7)),
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_every_route_gives_the_same_pixels_and_the_same_score(
    route: Route, batch_size: int, folder: Path, images: torch.Tensor, tmp_path: Path, mean_color: MeanColor
) -> None:
    real = as_tensor(pictures(NUM, (32, 32), skip=NUM))
    expected = ganeval.evaluate(real, images, extractor=mean_color, batch_size=batch_size)
    report = ganeval.evaluate(real, route(folder, images, tmp_path), extractor=mean_color, batch_size=batch_size)
    assert report.scores == expected.scores
    assert report.num_fake == NUM
    assert report.provenance["fake"]["pixels_sha256"] == expected.provenance["fake"]["pixels_sha256"]


def test_a_generator_gives_the_same_score_too(images: torch.Tensor, mean_color: MeanColor) -> None:
    real = as_tensor(pictures(NUM, (32, 32), skip=NUM))
    drawn = ganeval.evaluate(real, drawing(images), num_images=NUM, extractor=mean_color, batch_size=4)
    assert drawn.scores == ganeval.evaluate(real, images, extractor=mean_color, batch_size=4).scores


def test_the_embedded_network_gives_the_same_score_through_folder_zip_and_array(folder: Path, images: torch.Tensor, tmp_path: Path) -> None:
    sources = [folder, zipped(folder, tmp_path / "x.zip"), images]
    scores = {ganeval.fid(as_tensor(pictures(NUM, (32, 32), skip=NUM)), source, extractor="tiny") for source in sources}
    assert len(scores) == 1


def test_a_second_pass_sees_the_same(folder: Path) -> None:
    source = open_images(folder)
    passes = []
    for _ in range(2):
        seen = Seen()
        list(source.batches(seen, batch_size=4))
        passes.append(seen.provenance())
    assert passes[0] == passes[1]
    assert passes[0]["count"] == source.num_images == NUM


def test_mixed_sizes_in_one_folder_keep_their_order(tmp_path: Path, mean_color: MeanColor) -> None:
    sizes = [(32, 32), (40, 30), (32, 32), (32, 32), (5, 300)]
    found = [pictures(1, size, skip=i)[0] for i, size in enumerate(sizes)]
    save_all(found, tmp_path)
    images = list(open_images(tmp_path).batches(Seen(), batch_size=2))
    assert [tuple(image.shape[2:]) for image in images] == [(height, width) for width, height in sizes]
    expected = torch.stack([torch.from_numpy(np.array(picture)).double().mean(dim=(0, 1)).float() for picture in found])
    stats = ganeval.Evaluator(tmp_path, extractor=mean_color, batch_size=2).reference.stats
    torch.testing.assert_close(stats.mean, expected.double().mean(dim=0), rtol=1e-6, atol=0)


def test_gray_arrays_are_repeated_over_the_channels(mean_color: MeanColor) -> None:
    gray = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert ganeval.fid(gray, gray.repeat(1, 3, 1, 1), extractor=mean_color) == pytest.approx(0, abs=1e-9)


def test_links_are_followed_and_cycles_end(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "linked again").symlink_to(tmp_path)
    assert open_images(tmp_path).num_images == NUM


def test_hidden_files_and_other_files_are_ignored_and_counted(folder: Path, tmp_path: Path, mean_color: MeanColor) -> None:
    save_all(pictures(3, (32, 32)), tmp_path)
    for name in ("._00000.png", "labels.csv", "__MACOSX/00000.png", ".git/x.png", "dir_like.png/readme.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    report = ganeval.evaluate(tmp_path, folder, extractor=mean_color)
    assert report.num_real == 3
    assert "5 real files are no pictures by their name and were ignored" in report.notes


# ------------------------------------------------------------------ wrong input


def error_of(source: Any, **options: Any) -> str:
    """The message that refuses this source."""
    with pytest.raises(InputError) as caught:
        ganeval.fid(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), source, extractor=MeanColor(), **options)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def test_a_missing_path_is_named() -> None:
    assert "no/such/folder does not exist" in error_of("no/such/folder")


def test_an_empty_folder_and_one_without_pictures_are_told_apart(tmp_path: Path) -> None:
    assert "it holds no files" in error_of(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert "1 files, none with the name of a picture" in error_of(tmp_path)


def test_a_single_picture_or_unknown_file_is_no_set(tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    pictures(1, (32, 32))[0].save(file)
    assert "is not a set of images; give a folder" in error_of(file)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz", "x.npy", "x.npz"])
@pytest.mark.parametrize("content", [b"", b"this is no archive at all" * 100], ids=["empty", "text"])
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert str(tmp_path / name) in error_of(tmp_path / name)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.npy", "x.npz"])
def test_half_a_file_gives_no_score(name: str, folder: Path, images: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.startswith("x.np"):
        saved(images.numpy(), path)
    else:
        zipped(folder, path) if name == "x.zip" else tarred(folder, path, "w:gz" if name.endswith("gz") else "w")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert str(path) in error_of(path)


def test_a_tar_cut_off_between_two_pictures_is_not_taken_for_a_whole_one(folder: Path, tmp_path: Path) -> None:
    path = tarred(folder, tmp_path / "x.tar")
    with tarfile.open(path) as archive:
        cut = archive.getmembers()[4].offset
    path.write_bytes(path.read_bytes()[:cut])
    assert "breaks off without an end mark" in error_of(path)


def test_archives_without_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("x")
    assert "none of its 1 files has the name of a picture" in error_of(zipped(tmp_path / "empty", tmp_path / "x.zip"))
    assert "none of its 1 files has the name of a picture" in error_of(tarred(tmp_path / "empty", tmp_path / "x.tar"))


def test_a_missing_shard_is_named(folder: Path, tmp_path: Path) -> None:
    pattern = shards(folder, tmp_path / "shards") / "data-{0000..0002}.tar"
    assert "1 of 3 shards do not exist, the first is" in error_of(pattern)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((4, 8, 8, 3), np.float32), "float32"),
        (np.zeros((4, 8, 8), np.uint8), r"[4, 8, 8]"),
        (np.zeros((4, 8, 8, 4), np.uint8), "neither axis 1 nor axis 3"),
        (np.zeros((4, 3, 8, 3), np.uint8), "both axis 1 and axis 3"),
        (np.zeros((0, 8, 8, 3), np.uint8), "no image"),
        (np.zeros((4, 1, 1, 3), np.uint8), "nothing to score"),
        (np.asfortranarray(np.zeros((4, 8, 8, 3), np.uint8)), "Fortran order"),
        (np.array([{"a": 1}], dtype=object), "object"),
    ],
    ids=["float", "no channels", "alpha", "ambiguous", "empty", "1x1", "Fortran", "pickle"],
)
def test_arrays_of_the_wrong_kind_are_refused(array: np.ndarray[Any, Any], why: str, tmp_path: Path) -> None:
    message = error_of(saved(array, tmp_path / "x.npy"))
    assert why in message


def test_an_npz_that_holds_neither_images_nor_stats_names_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", labels=np.zeros(3), weights=np.zeros((2, 2)))
    message = error_of(tmp_path / "x.npz")
    assert "holds labels, weights; expected images under `arr_0`" in message


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (torch.zeros(4, 3, 8, 8), r"floats in \[-1, 1\] go through"),
        (torch.zeros(4, 8, 8, 3, dtype=torch.uint8), r"got uint8 \[4, 8, 8, 3\]"),
        (torch.zeros(4, 3, 1, 1, dtype=torch.uint8), "1×1 pixels"),
        (torch.zeros(0, 3, 8, 8, dtype=torch.uint8), "empty batch"),
        (TensorDataset(torch.rand(4, 3, 8, 8)), "range would have to be guessed"),
        ([torch.rand(4, 3, 8, 8)], "range would have to be guessed"),
        ([], "gave no images"),
        (["a.png"], "got str"),
        ([{"picture": torch.zeros(1)}], "has no `image`"),
        (torch.nn.Linear(1, 1), "say what it is fed"),
        (3, "cannot take images from a int"),
    ],
    ids=["float", "NHWC", "1x1", "empty", "float Dataset", "float batches", "no batches", "names", "dictionary", "module", "number"],
)
def test_images_in_memory_of_the_wrong_kind_are_refused(source: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        ganeval.fid(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), source, extractor=MeanColor())


def test_a_generator_needs_a_number_and_must_keep_to_it(images: torch.Tensor) -> None:
    assert "say how many images to draw" in error_of(drawing(images))
    assert "asked for 5 images and returned 11" in error_of(lambda n: images, num_images=5)
    assert "neither set is a generator" in error_of(images, num_images=5)
    with pytest.raises(InputError, match="but a Tensor was given"):
        ganeval.Evaluator(images, extractor=MeanColor(), num_images=5)
    with pytest.raises(InputError, match="but a Tensor was given"):
        ganeval.Evaluator(images, extractor=MeanColor())(images, num_images=5)


def test_a_loader_that_leaves_images_out_is_refused(images: torch.Tensor) -> None:
    assert "drop_last=False" in error_of(DataLoader(TensorDataset(images), batch_size=4, drop_last=True))


def test_an_iterator_is_not_scored_twice_as_if_it_were_full(images: torch.Tensor) -> None:
    once = iter(images.split(3))
    evaluator = ganeval.Evaluator(images, extractor=MeanColor())
    evaluator(once)
    with pytest.raises(InputError, match="can be read only once"):
        evaluator(once)


def test_floats_become_uint8_by_rounding_and_only_within_their_range() -> None:
    levels = torch.arange(256)
    assert torch.equal(to_uint8(levels / 127.5 - 1), levels.to(torch.uint8))
    assert to_uint8(torch.tensor([-0.997])).item() == 0
    with pytest.raises(InputError, match=r"got values from 0 to 255"):
        to_uint8(levels.float())
    with pytest.raises(InputError, match="nan"):
        to_uint8(torch.tensor([float("nan")]))
    with pytest.raises(TypeError, match="got uint8"):
        to_uint8(levels.to(torch.uint8))


def test_a_zip_entry_with_a_bad_checksum_is_a_bad_picture(folder: Path, tmp_path: Path) -> None:
    path = zipped(folder, tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[3]
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + 60] ^= 0xFF
    path.write_bytes(bytes(data))
    message = error_of(path)
    assert f"1 of {NUM} images" in message
    assert info.filename in message


def test_features_that_are_not_finite_are_traced_to_their_picture(tmp_path: Path) -> None:
    class NanOnBright(MeanColor):
        def __call__(self, images: torch.Tensor) -> ganeval.Activations:
            features = images.float().mean(dim=(2, 3))
            return ganeval.Activations(features.where(features < 250, torch.nan))

    found = pictures(9, (32, 32))
    found[6] = found[6].point(lambda level: 255)
    with pytest.raises(InputError, match=r"first for 00006\.png"):
        ganeval.fid(save_all(found, tmp_path), tmp_path, extractor=NanOnBright(), batch_size=4)


def test_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.png", b"data")
        archive.writestr("y.png", b"data")
    data = bytearray(buffer.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag word of the local and the central header
        data[data.find(signature) + offset] |= 1
    (tmp_path / "x.zip").write_bytes(bytes(data))
    assert "encrypted" in error_of(tmp_path / "x.zip")
