"""Folders, arrays and names of an attacker: nothing hangs, nothing is read without end, nothing in a message talks to the terminal."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hostile_archives import PNG, picture_in_tar, png, tar_of, zip_of
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import MeanColor
from ganeval import InputError, Reference, evaluate
from ganeval.cli import main
from ganeval.errors import printable, shown
from ganeval.files import content, opened, sha256_of
from ganeval.images import Seen, folder, open_images
from ganeval.images.encoded import MAX_BYTES
from ganeval.reference import load_reference
from ganeval.training.datasets.files import File, listed
from ganeval.training.datasets.files import read as read_member

NO_FILE = "it is a pipe, socket or device, and no file"

posix = pytest.mark.skipif(os.name != "posix", reason="pipes, sockets and devices among files are of POSIX")


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Path]:
    """A folder with a picture, and everything that looks like one."""
    (tmp_path / "a.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "endless.png").symlink_to("/dev/zero")
    (tmp_path / "broken.png").symlink_to("nowhere")
    (tmp_path / "itself.png").symlink_to("itself.png")
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(tmp_path)  # the name of a socket is short
        listener.bind("socket.png")
        os.chdir(here)
        yield tmp_path


def refused(source: Any) -> str:
    with pytest.raises(InputError) as caught:
        list(open_images(source).batches(Seen(), batch_size=4))
    return str(caught.value)


@posix
def test_pipes_sockets_devices_and_broken_links_are_named_and_not_waited_for(odd: Path) -> None:
    for source in (odd, f"{odd}/*.png", f"{odd}/**/*.png"):
        message = refused(source)
        assert "5 of 6 images" in message
        for name in ("pipe.png", "endless.png", "socket.png"):
            assert f"{name}: cannot be read: {NO_FILE}" in message
        assert "broken.png: cannot be read" in message
        assert "itself.png: cannot be read" in message


@posix
def test_a_pipe_in_place_of_an_archive_an_array_or_a_table_is_refused(odd: Path, tmp_path: Path) -> None:
    for name in ("x.zip", "x.tar", "x.npz", "x.npy"):
        os.mkfifo(tmp_path / name)
        assert "is a pipe, socket or device" in refused(tmp_path / name)
    (tmp_path / "shards").mkdir()
    os.mkfifo(tmp_path / "shards" / "x.tar")
    assert NO_FILE in refused(tmp_path / "shards")
    os.mkfifo(tmp_path / "x.json")
    for command in ("cite", "stats show"):
        done = CliRunner().invoke(main, [*command.split(), str(tmp_path / "x.json")], catch_exceptions=False)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: ")


@posix
def test_training_reads_no_device(odd: Path) -> None:
    files = listed(odd)
    assert len(files.files) == 6
    with pytest.raises(OSError, match="pipe, socket or device"):
        read_member(odd, File("endless.png", "endless.png"))


def test_links_in_circles_end(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    for name in ("one", "two", "three"):
        (tmp_path / name).symlink_to(tmp_path)
    assert open_images(tmp_path).num_images == 1
    assert open_images(f"{tmp_path}/**/*.png").num_images == 1


def test_a_pattern_of_any_depth_finds_what_glob_finds(tmp_path: Path) -> None:
    import glob

    for name in ("a.png", "b/c.png", "b/d/e.png", "b/.hidden/f.png", ".g.png", "b/h.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    for pattern in ("**/*.png", "b/**/*.png", "**/d/*.png", "**", "b/**", "**/*", "*/**/e.png", "**/**/*.png"):
        expected = {path for path in glob.glob(f"{tmp_path}/{pattern}", recursive=True) if os.path.isfile(path)}
        found = {str(file.path) for file in folder.matching_images(tmp_path / pattern).origin.files}  # type: ignore[union-attr]
        assert found == expected, pattern


@pytest.mark.slow
@posix
def test_folders_nested_too_deep_are_one_sentence() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        code = f"import os\nos.chdir({name!r})\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')"
        subprocess.run([sys.executable, "-c", code], check=True)
        try:
            refused(path)
        finally:
            subprocess.run(["rm", "-rf", name], check=True)
            path.mkdir()


def test_no_more_is_read_than_a_file_may_have(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * 1000)
    assert content(path, most=1000) == b"x" * 1000
    with pytest.raises(OSError, match="more than 999 bytes"):
        content(path, most=999)
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse: it takes no room
    path.rename(tmp_path / "x.png")
    assert "over the limit" in refused(tmp_path)


@posix
def test_opening_checks_what_it_opens(odd: Path) -> None:
    for name in ("pipe.png", "endless.png", "socket.png"):
        for read in (opened, sha256_of):
            with pytest.raises(OSError, match="pipe, socket or device"):
                read(odd / name)
    with pytest.raises(IsADirectoryError):
        opened(odd)


# ------------------------------------------------------------------ names


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_what_is_printable_says_nothing_to_a_terminal_and_stays_in_its_line(name: str) -> None:
    text = printable(name)
    assert "\n" not in text
    assert not any(letter < " " or "\x7f" <= letter < "\xa0" or letter in "\u2028\u2029\u202e\u2066" for letter in text)
    text.encode()
    assert shown(f"{name}\n{name}").count("\n") == 1 + 2 * name.count("\n")


def test_letters_of_any_language_stay_as_they_are() -> None:
    for name in ("Ảnh của tôi/mèo (1).png", "写真.png", "صورة.png", "Straße 7é.png"):
        assert printable(name) == name


@posix
def test_hostile_names_in_a_folder_are_spelled_out_by_the_command(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    for name in (b"\xff\xfe.png", b"\x1b]0;evil\x07.png", b"a.png\nError: all is well.png"):
        Path(os.fsdecode(os.fsencode(real) + b"/" + name)).write_bytes(b"bad")
    done = CliRunner().invoke(main, ["is", str(real), "--extractor", "tiny", "--num-splits", "1"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "\x1b" not in done.stderr
    assert "\\x1b]0;evil\\x07.png: not a picture" in done.stderr
    assert "\nError: all is well" not in done.stderr
    assert "??.png: not a picture" in done.stderr


@posix
def test_a_path_that_is_given_is_spelled_out_too() -> None:
    done = CliRunner().invoke(main, ["is", "no\x1b\udcff", "--extractor", "tiny"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "no\\x1b? does not exist" in done.stderr


def test_classes_named_as_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    names = ["[/red]", "[link=https://x.example]:smile:", "\x1b[31m"]
    samples = [(picture_in_tar(f"{i}.png", png(20 * i)), picture_in_tar(f"{i}.cls", names[i % 3].encode())) for i in range(12)]
    path = tar_of(tmp_path / "x.tar", *(part for sample in samples for part in sample))
    report = evaluate(path, path, extractor=MeanColor(), metrics=("intra_fid",))
    text = str(report)
    for shown_as in ("[/red]", "[link=https://x.example]:smile:", "\\x1b[31m"):
        assert f"/{shown_as}" in text


# ------------------------------------------------------------------ arrays


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize("shape", [(10**9, 64, 64, 3), (2, 10**6, 10**6, 3), (10**9, 8192, 8192, 3)])
def test_an_array_that_is_shorter_than_it_says_takes_no_memory(shape: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(header(shape) + bytes(1000))
    for path in (tmp_path / "x.npy", zip_of(tmp_path / "x.npz", {"arr_0.npy": header(shape) + bytes(1000)})):
        assert "ends early" in (message := refused(path)) or "over the limit" in message


def test_labels_that_lie_are_refused(tmp_path: Path) -> None:
    images = header((3, 8, 8, 3)) + bytes(3 * 8 * 8 * 3)
    path = zip_of(tmp_path / "x.npz", {"arr_0.npy": images, "arr_1.npy": header((3,), "<i8") + bytes(8)})
    assert "arr_1 [3] of int64 has 24 bytes, but its file says 8" in refused(path)


@pytest.mark.parametrize(
    ("mu", "sigma", "why"),
    [
        (header((10**9,), "<f8"), header((2, 2), "<f8") + bytes(32), "over the limit"),
        (header((2,), "<f8") + bytes(16), header((10**5, 10**5), "<f8"), "over the limit"),
        (header((2,), "<f8") + bytes(16), header((4000, 4000), "<f8"), "but its file says 0"),
        (header((2,), "|O") + bytes(16), header((2, 2), "<f8") + bytes(32), "pickled objects"),
        (b"no array", header((2, 2), "<f8") + bytes(32), "damaged"),
    ],
    ids=["long mean", "large covariance", "empty covariance", "objects", "no array"],
)
def test_stats_that_lie_are_refused_before_memory_is_taken(mu: bytes, sigma: bytes, why: str, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.npz", {"mu.npy": mu, "sigma.npy": sigma})
    with pytest.raises(InputError, match=why):
        load_reference(path)


def test_honest_stats_are_read_as_before(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", mu=np.zeros(3), sigma=np.eye(3))
    assert isinstance(load_reference(tmp_path / "x.npz"), Reference)
