"""One stated conversion for every color mode, and no picture file that can bring ganeval down."""

from __future__ import annotations

import csv
import io
import re
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image, ImageFile

import ganeval
from conftest import MeanColor
from ganeval import InputError
from ganeval.images.about import about
from ganeval.images.decode import BadImage, Decoded, decode
from ganeval.images.encoded import is_picture_name
from pictures import DATA, pictures, save_all


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(decoded: Decoded) -> np.ndarray[Any, Any]:
    return decoded.image.permute(1, 2, 0).numpy()


@pytest.fixture
def picture() -> Image.Image:
    return pictures(1, (32, 32))[0]


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "CMYK", "YCbCr"])
def test_common_modes_are_converted_as_pillow_converts_them(mode: str, picture: Image.Image) -> None:
    if mode == "YCbCr" and int(PIL.__version__.partition(".")[0]) < 13:
        pytest.skip("Pillow before 13 cannot read the YCbCr TIFF that it writes")
    data = encoded(picture.convert(mode), "TIFF")
    found = decode(data)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(pixels(found), expected)
    assert found.remarks == ()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str) -> None:
    levels = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    found = pixels(decode(encoded(Image.fromarray(levels), kind)))
    np.testing.assert_array_equal(found[:, :, 0], levels >> 8)
    assert (found[:, :, 0] == found[:, :, 2]).all()


def test_a_sixteen_bit_gray_equals_the_same_picture_in_eight_bits(picture: Image.Image) -> None:
    gray = picture.convert("L")
    sixteen = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    np.testing.assert_array_equal(pixels(decode(encoded(sixteen))), pixels(decode(encoded(gray))))


def test_sixteen_bit_pgm_is_scaled_too() -> None:
    levels = np.array([[0, 255], [32768, 65535]], dtype=">u2")
    found = pixels(decode(b"P5 2 2 65535\n" + levels.tobytes()))
    np.testing.assert_array_equal(found[:, :, 0], [[0, 0], [128, 255]])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_dropped_and_reported(mode: str, picture: Image.Image) -> None:
    with_alpha = picture.convert(mode)
    with_alpha.putalpha(100)
    found = decode(encoded(with_alpha))
    np.testing.assert_array_equal(pixels(found), np.asarray(picture.convert("L" if mode == "LA" else "RGB").convert("RGB")))
    assert found.remarks == ("alpha dropped",)


def test_a_transparent_palette_color_is_reported(picture: Image.Image) -> None:
    assert decode(encoded(picture.convert("P"), transparency=3)).remarks == ("alpha dropped",)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_exif_rotation_is_not_applied_but_reported(orientation: int, picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(encoded(picture, "JPEG", exif=exif))
    np.testing.assert_array_equal(pixels(found), pixels(decode(encoded(picture, "JPEG"))))
    assert found.remarks == (() if orientation == 1 else ("EXIF rotation not applied",))


def test_an_animation_is_its_first_frame(picture: Image.Image) -> None:
    other = pictures(1, (32, 32), skip=1)[0]
    found = decode(encoded(picture, "WEBP", save_all=True, append_images=[other], lossless=True))
    np.testing.assert_array_equal(pixels(found), np.asarray(picture))
    assert found.remarks == ("several frames, the first used",)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "0 bytes"),
        (b"GIF? no, text", "not a picture"),
        (encoded(Image.new("F", (8, 8)), "TIFF"), "floating-point gray levels"),
        (encoded(Image.new("I", (8, 8)), "TIFF"), "32-bit integer gray levels"),
        (encoded(Image.new("LAB", (8, 8)), "TIFF"), "color profile"),
        (encoded(Image.new("RGB", (1, 1))), "1×1 pixels has nothing to score"),
        (encoded(Image.new("1", (12000, 12000))), "decompression bomb"),
        (encoded(Image.new("1", (20000, 20000))), "decompression bomb"),
    ],
    ids=["empty", "text", "float", "int32", "LAB", "1x1", "bomb", "larger bomb"],
)
def test_what_cannot_be_scored_says_why(data: bytes, why: str) -> None:
    with pytest.raises(BadImage, match=why):
        decode(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_never_half_a_picture(kind: str, share: float) -> None:
    data = encoded(pictures(1, (89, 109))[0], kind)
    with pytest.raises(BadImage):
        decode(data[: int(share * len(data))])


def test_programs_behind_picture_names_are_not_started() -> None:
    with pytest.raises(BadImage, match="not a picture"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("a/b.PNG", True),
        ("x.Jpeg", True),
        ("a.b/c.webp", True),
        ("x.txt", False),
        (".x.png", False),
        ("__MACOSX/x.png", False),
        (".d/x.png", False),
    ],
)
def test_names_of_pictures(name: str, picture: bool) -> None:
    assert is_picture_name(name) is picture


def broken_folder(tmp_path: Path, num_bad: int) -> Path:
    save_all(pictures(4, (32, 32)), tmp_path)
    for i in range(num_bad):
        (tmp_path / f"bad{i:02d}.png").write_bytes(b"")
    return tmp_path


def test_an_error_names_the_first_ten_bad_pictures_and_counts_them_all(tmp_path: Path, mean_color: MeanColor) -> None:
    with pytest.raises(InputError) as caught:
        ganeval.fid(broken_folder(tmp_path, 13), tmp_path, extractor=mean_color)
    message = str(caught.value)
    assert message.startswith("13 of 17 images in")
    assert "no score" in message
    assert message.count("the file is empty (0 bytes)") == 10
    assert "bad09.png" in message
    assert "bad10.png" not in message
    assert message.endswith("… and 3 more")


def test_bad_pictures_are_left_out_only_when_asked_and_then_counted(tmp_path: Path, mean_color: MeanColor) -> None:
    good, mixed = save_all(pictures(4, (32, 32)), tmp_path / "good"), broken_folder(tmp_path / "mixed", 2)
    report = ganeval.evaluate(good, mixed, extractor=mean_color, skip_bad=True)
    assert report.scores["fd_mean_color"].value == pytest.approx(0, abs=1e-9)
    assert report.num_fake == 4
    assert report.provenance["fake"]["num_skipped"] == 2
    assert any("2 bad fake images were left out" in note and "bad01.png" in note for note in report.notes)


def test_nothing_but_bad_pictures_gives_no_score_even_then(tmp_path: Path, mean_color: MeanColor) -> None:
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"")
    with pytest.raises(InputError, match="3 of 3 images"):
        ganeval.fid(tmp_path, tmp_path, extractor=mean_color, skip_bad=True)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_a_picture_of_several_blocks_is_converted_as_in_one_piece(mode: str) -> None:
    levels = np.arange(1100 * 1000).reshape(1100, 1000)  # more pixels than are converted at once
    if mode == "I;16":
        picture = Image.fromarray((levels % 65536).astype(np.uint16))
        expected = np.repeat((np.asarray(picture) >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    else:
        picture = Image.fromarray(np.stack([levels % 256, levels // 256 % 256, levels // 1000 % 256], 2).astype(np.uint8)).convert(mode)
        expected = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(pixels(decode(encoded(picture, "TIFF"))), expected)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_rotation_of_a_tiff_is_applied_as_pillow_does_and_reported(orientation: int, picture: Image.Image) -> None:
    found = decode(encoded(picture, "TIFF", tiffinfo={0x0112: orientation}))
    turned = {1: picture, 3: picture.transpose(Image.Transpose.ROTATE_180), 6: picture.transpose(Image.Transpose.ROTATE_270)}
    np.testing.assert_array_equal(pixels(found), np.asarray(turned[orientation]))
    assert found.remarks == (() if orientation == 1 else ("TIFF rotation applied",))
    assert not about(encoded(picture, "TIFF", tiffinfo={0x0112: orientation})).rotated


def test_signed_levels_of_sixteen_bits_are_refused_by_their_own_name() -> None:
    data = bytearray(encoded(Image.new("I;16", (8, 8)), "TIFF", tiffinfo={339: 2}))
    with pytest.raises(BadImage, match="signed or 32-bit integer"):
        decode(bytes(data))


def test_decoding_says_what_it_takes_before_it_takes_it(picture: Image.Image) -> None:
    told: list[int] = []
    decode(encoded(picture), take=told.append)
    assert told[0] > 32 * 32 * 7  # at least in Pillow's memory, of four bytes a pixel, and in ours, of three

    def full(size: int) -> None:
        raise BadImage("no room")

    with pytest.raises(BadImage, match="no room"):
        decode(encoded(picture), take=full)


def test_what_other_code_has_set_in_pillow_changes_nothing(tmp_path: Path, mean_color: MeanColor, monkeypatch: pytest.MonkeyPatch) -> None:
    save_all(pictures(3, (32, 32)), tmp_path)
    whole = encoded(pictures(1, (89, 109))[0], "JPEG")
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    exif = b"Exif\0\0II*\0\x08\0\0\0\x09\0"  # says that nine tags follow, and none does
    pictures(1, (32, 32))[0].save(tmp_path / "odd.jpg", exif=exif)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = ganeval.evaluate(tmp_path, tmp_path, extractor=mean_color, skip_bad=True)
    assert report.num_fake == 4
    (skipped,) = report.provenance["fake"]["skipped"]
    assert skipped.startswith("half.jpg: damaged or unsupported: image file is truncated")


@pytest.mark.skipif(sys.platform != "linux", reason="where libtiff can be reached from Python")
def test_a_damaged_tiff_prints_nothing_but_what_ganeval_says(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], mean_color: MeanColor
) -> None:
    save_all(pictures(2, (32, 32)), tmp_path)
    data = encoded(pictures(1, (32, 32))[0], "TIFF", compression="tiff_adobe_deflate")
    start = data.index(b"\x78\x9c") + 20
    data = data[:start] + bytes(8) + data[start + 8 :]
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(BadImage):
        decode(data)
    assert "Decod" in capfd.readouterr().err  # of libtiff, where no pass keeps it silent
    with pytest.raises(InputError, match=r"x\.tif"):
        ganeval.fid(tmp_path, tmp_path, extractor=mean_color)
    assert capfd.readouterr().err == ""


REFUSED = {  # of what Pillow decodes, and why: what `decode` states
    "1 pixel": r"pixels has nothing to score$",
    "a bomb": r"a decompression bomb\?$",
    "no range": r"gray levels have no known range; save it with 8 or 16 bits a channel$",
    "LAB": r"^LAB colors need a color profile",
    "ICO": r"^not a picture in a known format",
}


@pytest.mark.skipif(DATA is None, reason="needs nasty-images.zip from $GANEVAL_DATA")
@pytest.mark.filterwarnings("ignore")
def test_hundreds_of_hostile_files_decode_or_say_why() -> None:
    assert DATA is not None
    refused: Counter[str] = Counter()
    decoded = 0
    with zipfile.ZipFile(DATA / "nasty-images.zip") as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("manifest.csv"), "utf-8")))
        outcome = next(name for name in rows[0] if name.startswith("pillow"))
        same = outcome == f"pillow_{PIL.__version__}_outcome"  # others have other libraries, which mend more or less
        for row in rows:
            try:
                image = decode(archive.read(row["path"])).image
            except BadImage as error:
                why = str(error)
                assert why
                assert "\n" not in why
                refused.update([name for name, text in REFUSED.items() if row[outcome] == "ok" and re.search(text, why)] or [row[outcome]])
            else:
                assert row[outcome] == "ok" or not same, row["path"]
                assert image.shape[0] == 3
                assert image[0].numel() == int(row["width"]) * int(row["height"])
                decoded += 1
    assert len(rows) == 797
    if not same:
        return
    assert refused["ok"] == 0  # nothing that Pillow decodes is refused for another reason
    assert decoded + sum(refused[name] for name in REFUSED) == sum(row[outcome] == "ok" for row in rows) == 617
    assert {name: refused[name] for name in REFUSED} == {"1 pixel": 29, "a bomb": 1, "no range": 5, "LAB": 4, "ICO": 6}


@pytest.mark.skipif(DATA is None, reason="needs nasty-images.zip from $GANEVAL_DATA")
@pytest.mark.filterwarnings("ignore")
def test_the_hostile_files_are_refused_together_and_scored_with_skip_bad(mean_color: MeanColor) -> None:
    assert DATA is not None
    nasty = DATA / "nasty-images.zip"
    with pytest.raises(InputError, match=r"images in .*nasty-images.zip cannot be used"):
        ganeval.fid(nasty, nasty, extractor=mean_color)
    report = ganeval.evaluate(nasty, nasty, extractor=mean_color, skip_bad=True)
    assert report.scores["fd_mean_color"].value < 1e-6
    assert report.provenance["real"]["num_skipped"] > 100
