"""Archives of an attacker: nothing is written outside, no memory without end, no picture left out in silence, one clear sentence."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hostile_archives import (
    BLOCK,
    PNG,
    bomb,
    header_of_size,
    link_in_zip,
    member,
    nested_headers,
    overlapping_zip,
    picture_in_tar,
    png,
    raw_tar,
    tar_of,
    zip_of,
    zip_that_lies,
)
from PIL import Image

from ganeval import zips
from ganeval.errors import InputError
from ganeval.images import Seen, open_images, tar
from ganeval.images.archive import tar_images, zip_images
from ganeval.training.batch import DataSpec
from ganeval.training.datasets import archives
from ganeval.training.datasets.archives import ARCHIVES
from ganeval.training.datasets.loose import open_pictures
from ganeval.zips import RATIO

SMALL = 2**20  # instead of FREE, for time
LARGE = SMALL + 1


def read(path: Path | str) -> Seen:
    seen = Seen()
    list(open_images(path).batches(seen, batch_size=4))
    return seen


def refused(path: Path | str) -> str:
    """The sentence, which names the archive and can be shown on any terminal."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert all(letter.isprintable() for letter in message.replace("\n", ""))
    return message


NAMES = ["../x.png", "a/../../x.png", "/x.png", "//x.png"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_leads_out_is_an_error_and_no_picture(name: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{kind}"
    zip_of(path, {name: PNG, "b.png": png(1)}) if kind == "zip" else tar_of(path, picture_in_tar(name), picture_in_tar("b.png"))
    message = refused(path)
    assert "1 of 2 images" in message
    assert f"{name}: its name leads out of the archive" in message


@pytest.mark.parametrize("name", NAMES)
def test_translations_are_never_written_by_a_name_that_leads_out(name: str, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {name: PNG, "b.png": png(1)})
    with pytest.raises(InputError, match="its name leads out of the archive"):
        open_pictures(path, DataSpec(task="domains", image_size=8))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_what_is_no_file_in_a_tar_is_an_error_and_not_left_out(kind: bytes, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", picture_in_tar("a.png"), (member("b.png", kind=kind, link="a.png"), b""))
    message = refused(path)
    assert "1 of 2 images" in message
    assert "b.png: is a " in message


def test_a_link_out_of_a_tar_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    link = member("b.png", kind=tarfile.SYMTYPE, link=str(tmp_path / "secret.png"))
    assert "b.png: is a link" in refused(tar_of(tmp_path / "x.tar", (link, b"")))
    assert "b.png: is a link" in refused(zip_of(tmp_path / "x.zip", dict([link_in_zip("b.png", str(tmp_path / "secret.png"))])))


def test_a_sparse_file_is_not_read_as_if_it_were_stored_whole(tmp_path: Path) -> None:
    """Its bytes lie elsewhere: a BMP would be of other pixels."""
    header = bytearray(member("x.bmp", 100, tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    header[386:398], header[398:410] = b"%011o\0" % 0, b"%011o\0" % 100  # one piece
    header[483:495] = b"%011o\0" % 5000  # of a file of that size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = raw_tar(tmp_path / "x.tar", bytes(header), bytes(100))
    assert "stored as a sparse file" in refused(path)


def test_of_equal_names_the_last_counts_as_when_unpacked(tmp_path: Path) -> None:
    first, last = zipfile.ZipInfo("a.png"), zipfile.ZipInfo("a.png")
    assert read(zip_of(tmp_path / "x.zip", {first: b"no picture", last: PNG})).count == 1
    assert read(tar_of(tmp_path / "x.tar", picture_in_tar("a.png", b"no picture"), picture_in_tar("a.png"))).count == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_are_refused(method: int, tmp_path: Path) -> None:
    assert "another method than deflate" in refused(zip_of(tmp_path / "x.zip", {"a.png": PNG}, method))
    lying = zip_that_lies(tmp_path / "y.zip", size=2**20, stated=1000, method=method)
    assert "another method than deflate" in refused(lying)


def test_an_unknown_method_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"a.png": PNG})
    data = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        position = data.index(start) + offset
        data[position : position + 2] = b"\x62\0"
    path.write_bytes(bytes(data))
    assert "another method than deflate" in refused(path)


def test_a_bomb_in_a_zip_is_refused_before_it_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "FREE", SMALL)
    alone = zip_of(tmp_path / "x.zip", {"a.png": bytes(LARGE)}, zipfile.ZIP_DEFLATED)
    assert "as archive bombs do" in refused(alone)
    assert "expand to" in refused(overlapping_zip(tmp_path / "y.zip", num=200, size=2**18))


def test_a_bomb_among_honest_pictures_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "FREE", SMALL)
    path = tmp_path / "x.zip"
    zip_of(path, {"a.png": bytes(LARGE)}, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.png", os.urandom(LARGE // RATIO))
    assert "a.png: " in (message := refused(path))
    assert "as archive bombs do" in message


def test_a_size_that_lies_is_found_and_nothing_beyond_it_is_read(tmp_path: Path) -> None:
    assert "x.png: damaged in the archive" in refused(zip_that_lies(tmp_path / "x.zip", size=2**20, stated=1000))
    assert "cannot be used" in refused(zip_that_lies(tmp_path / "y.zip", size=2**20, stated=2**20 + 4096))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_in_a_compressed_tar_fills_no_disk(compress: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "FREE", SMALL)
    name = {gzip.compress: "x.tar.gz", bz2.compress: "x.tar.bz2", lzma.compress: "x.tar.xz"}[compress]
    assert "as archive bombs do" in refused(bomb(tmp_path / name, compress, size=2**22))


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ([nested_headers(tarfile.XHDTYPE, b"14 path=a.png\n", times=3000)], "nested without end"),
        ([nested_headers(tarfile.GNUTYPE_LONGNAME, b"a.png\0", times=3000)], "nested without end"),
        ([member("x", 2**21, tarfile.XHDTYPE).tobuf(), bytes(2**21)], "more than 1,048,576 bytes"),
        ([header_of_size("a.png", -1024), header_of_size("b.png", -512)], "negative size"),
        ([header_of_size("a.png", 2**60)], "not a readable tar archive"),
        ([header_of_size("a.png", 2**31)], "not a readable tar archive"),
    ],
    ids=["attributes in attributes", "names of names", "long attributes", "negative", "endless", "beyond its end"],
)
def test_headers_of_a_tar_that_would_go_on_for_ever_are_refused(blocks: list[bytes], why: str, tmp_path: Path) -> None:
    assert why in refused(raw_tar(tmp_path / "x.tar", *blocks, member("z.png", len(PNG)).tobuf(), PNG))


def test_a_tar_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "MAX_MEMBERS", 10)
    assert "more than 10 files" in refused(tar_of(tmp_path / "x.tar", *(picture_in_tar(f"{i}.png") for i in range(11))))


def test_names_and_classes_cannot_talk_to_the_terminal(tmp_path: Path) -> None:
    name = "a\x1b]0;title\x07\x9b2J\r\n\u202egnp.png"
    for path in (zip_of(tmp_path / "x.zip", {name: b"bad"}), tar_of(tmp_path / "x.tar", picture_in_tar(name, b"bad"))):
        assert "a\\x1b]0;title\\x07\\x9b2J\\r\\n\\u202egnp.png: not a picture" in refused(path)
    classes = b"\x1b[31m[/red]\n" + b"x" * 10_000
    seen = read(tar_of(tmp_path / "y.tar", picture_in_tar("a.png"), picture_in_tar("a.cls", classes)))
    assert seen.classes is not None
    assert seen.classes[0].startswith("\\x1b[31m[/red]\\nxxx")
    assert len(seen.classes[0]) < 1010


def test_a_pattern_into_an_archive_meets_the_same_care(tmp_path: Path) -> None:
    zip_of(tmp_path / "x.zip", {"/etc/a_fake_B.png": PNG, "b_fake_B.png": PNG, "c_real_A.png": PNG})
    with pytest.raises(InputError, match="1 of 2 images"):
        read(f"{tmp_path}/x.zip/*_fake_B.png")


@pytest.mark.parametrize("name", ["../../outside.png", "/outside.png"])
def test_a_public_archive_unpacks_pictures_and_nothing_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    home = tmp_path / "home" / "data"
    home.mkdir(parents=True)
    links = [(member("facades/train/link", kind=tarfile.SYMTYPE, link=str(tmp_path)), b""), picture_in_tar("facades/train/link/x.png")]
    script = (member("facades/run.sh", 4), b"true")
    packed = tar_of(home / "facades.tar.gz", picture_in_tar("facades/train/1.png"), script, *links, mode="w:gz")
    folder = archives.fetched(ARCHIVES["facades"], lambda *_: pytest.fail("nothing is fetched"))
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    assert found == [
        "facades/train/1.png",
        "facades/train/link/x.png",
    ]
    assert not (tmp_path / "x.png").exists()

    tar_of(packed.with_name("maps.tar.gz"), picture_in_tar(name), mode="w:gz")
    with pytest.raises(InputError, match=r"cannot be unpacked: its name leads out.*remove it"):
        archives.fetched(ARCHIVES["maps"], lambda *_: pytest.fail("nothing is fetched"))
    assert not list(tmp_path.rglob("outside.png"))
    assert not (home / "maps").exists()


MANY = """
import resource, sys
from pathlib import Path
from ganeval.images import open_images
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(open_images(Path(sys.argv[1])).num_images, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_many_members_take_memory_in_proportion_to_their_number(kind: str, tmp_path: Path) -> None:
    path, num = tmp_path / f"x.{kind}", 200_000 if kind == "zip" else 20_000
    if kind == "zip":
        overlapping_zip(path, num=num, size=0)
    else:
        header = member("0000000.png")
        with path.open("wb") as file:
            for index in range(num):
                header.name = f"{index:07d}.png"
                file.write(header.tobuf())
            file.write(bytes(2 * BLOCK))
    done = subprocess.run([sys.executable, "-c", MANY, path], capture_output=True, text=True, check=True, timeout=300)
    count, mebibytes = done.stdout.split()
    assert int(count) == num
    assert float(mebibytes) * 2**20 < 3000 * num + 2**25


def test_honest_archives_are_read_as_before(tmp_path: Path) -> None:
    """Also a large flat picture, which deflate makes a thousand times smaller."""
    picture = Image.new("RGB", (2000, 2000), (9, 9, 9))
    picture.save(tmp_path / "flat.bmp")
    flat = (tmp_path / "flat.bmp").read_bytes()
    assert zip_images(zip_of(tmp_path / "x.zip", {"./flat.bmp": flat}, zipfile.ZIP_DEFLATED)).num_images == 1
    assert read(tmp_path / "x.zip").count == 1
    path = tar_of(tmp_path / "x.tar.gz", picture_in_tar("./flat.bmp", flat), mode="w:gz")
    assert tar_images([path], where="x").num_images == 1
    assert read(path).count == 1
