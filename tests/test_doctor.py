"""The doctor finds each fault where it was made, with the right files, says what it does to the score, and is silent on clean sets."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image, ImageOps

import ganeval
from doctor import CHOSEN, FAULTS, HELD_OUT, SORTED, encoded, source
from draw_pictures import drawn_picture
from ganeval import Diagnosis, InputError, diagnose
from ganeval.cli import main
from ganeval.doctor.finding import Finding
from ganeval.images.about import about
from layouts import zipped
from marks import slow_except
from pictures import DATA, as_tensor, save_all

NUM = 160  # pictures of a side
UNSEEN = {"red and blue exchanged", SORTED}  # drawn colors are as often red as blue, and drawings have no classes


def drawn(num: int = NUM, *, first: int = 0, side: int = 48) -> list[Image.Image]:
    return [drawn_picture(seed, width=side, height=side) for seed in range(first, first + num)]


REAL, FAKE = drawn(), drawn(first=NUM)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("doctor")
    return save_all(REAL, root / "real"), save_all(FAKE, root / "fake")


def files(found: list[Image.Image]) -> dict[str, bytes]:
    return {f"{i:05d}.png": encoded(one) for i, one in enumerate(found)}


def findings(real: object, fake: object = None, **options: object) -> dict[str, Finding]:
    """By check, but for the number of images."""
    options = {"measure": False, **options}
    found = diagnose(real, fake, **options)  # type: ignore[arg-type]
    return {one.check: one for one in found.findings if one.check != "few-images"}


FIRST = {check: fault for fault, (_, check) in reversed(list(FAULTS.items())) if fault not in UNSEEN}  # of each check


@pytest.mark.parametrize("fault", slow_except([name for name in FAULTS if name not in UNSEEN], *FIRST.values()))
def test_a_fault_that_was_made_is_found(fault: str) -> None:
    make, check = FAULTS[fault]
    real, fake = make(REAL, FAKE, np.random.default_rng(0))
    found = findings(source(real), source(fake))
    assert check in found
    for one in found.values():  # templates and values fit together
        assert one.what
        assert one.remedy.format(**one.values)


def test_exchanged_channels_are_found_where_colors_are_not_as_often_red_as_blue() -> None:
    warm = [Image.fromarray((np.asarray(one) * np.array([1, 0.9, 0.7])).astype(np.uint8)) for one in [*REAL, *FAKE]]
    pair = slice(0, 60), slice(NUM, NUM + 60)
    cold = [Image.fromarray(np.asarray(one)[:, :, ::-1]) for one in warm]
    found = diagnose(source(files(warm[pair[0]])), source(files(cold[pair[1]])))
    (one,) = (one for one in found.findings if one.check == "swapped-channels")
    assert one.shift is not None
    assert one.shift < 0
    assert "swapped-channels" not in findings(source(files(warm[:NUM])), source(files(warm[NUM:])))


def test_clean_drawings_get_no_finding(folders: tuple[Path, Path]) -> None:
    assert findings(*folders) == {}
    assert findings(folders[0]) == {}
    few = diagnose(*folders, measure=False)
    assert {(one.check, one.where) for one in few.findings} == {("few-images", "real"), ("few-images", "fake")}
    assert all(one.shift is None for one in few.findings)


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="GANEVAL_DATA is not set")
@pytest.mark.parametrize("name", ["cifar10", "faces", "cifar10-test", "mnist", "fashion-mnist", "zebras", "horses", "aerial"])
def test_halves_of_real_sets_get_no_finding(name: str) -> None:
    some = _some({**CHOSEN, **HELD_OUT}[name](), 160)
    assert not {check for check, one in findings(source(files(some[::2])), source(files(some[1::2]))).items() if one.severity != "notable"}


def _some(found: Iterator[Image.Image], num: int) -> list[Image.Image]:
    every = list(found)
    return [every[i] for i in np.random.default_rng(1).permutation(len(every))[:num]]


def test_duplicates_and_leaks_are_named_whether_or_not_they_are_in_the_sample(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    real, fake = folders[0], tmp_path / "fake"
    shutil.copytree(folders[1], fake)
    shutil.copy(fake / "00007.png", fake / "zz-copy.png")
    shutil.copy(real / "00003.png", fake / "zz-leak.png")
    for sample in (NUM + 2, 20):
        found = findings(real, fake, sample=sample)
        assert found["duplicates"].files == ("zz-copy.png",)
        assert found["leaks"].files == ("zz-leak.png",)
        assert (found["duplicates"].where, found["leaks"].where, found["leaks"].count) == ("fake", "both", 1)


def test_equal_pixels_in_other_files_are_copies_too(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    fake = tmp_path / "fake"
    shutil.copytree(folders[1], fake)
    REAL[3].save(fake / "zz.bmp")
    assert findings(folders[0], fake)["leaks"].files == ("zz.bmp",)


def test_the_shift_is_the_score_without_the_fault_less_the_score_as_it_is(tmp_path: Path) -> None:
    few = 40
    real = save_all(REAL[:few], tmp_path / "real")
    gray = save_all([ImageOps.grayscale(one) for one in FAKE[:few]], tmp_path / "gray")
    found = diagnose(real, gray)
    (one,) = (one for one in found.findings if one.check == "gray-against-color")
    both_gray = save_all([ImageOps.grayscale(one) for one in REAL[:few]], tmp_path / "both")
    as_is, cured = (ganeval.fid(real, gray, extractor="tiny") for real in (real, both_gray))
    assert found.score_key == "fd_tiny"
    assert found.num_scored == {"real": few, "fake": few}
    assert found.score == pytest.approx(as_is, rel=1e-6)
    assert one.shift == pytest.approx(cured - as_is, rel=0.02)  # rounding of the luma may differ by a level
    assert f"Without it fd_tiny moves by {one.shift:+.3g}" in " ".join(str(found).split())


def test_what_the_files_say_is_silent_where_there_are_none(folders: tuple[Path, Path]) -> None:
    real, fake = as_tensor(REAL), as_tensor(FAKE)
    assert findings(real, fake) == {}
    assert findings(zipped(folders[0]), fake.numpy()) == {}
    assert set(findings(real, torch.cat([fake, fake[:5], real[:2]]))) == {"duplicates", "leaks"}
    assert set(findings(iter([real]), lambda num: fake[torch.arange(num) % 50], num_images=NUM)) == {"duplicates"}


def test_sorted_fakes_are_told_where_the_order_is_used(tmp_path: Path) -> None:
    images = as_tensor(drawn(40))
    flat, labels = images.permute(0, 2, 3, 1).numpy(), np.arange(40) // 10
    np.savez(tmp_path / "sorted.npz", arr_0=flat, arr_1=labels)
    np.savez(tmp_path / "mixed.npz", arr_0=flat, arr_1=np.arange(40) % 4)
    for i, one in enumerate(drawn(40)):
        (tmp_path / "classes" / f"{i // 10}").mkdir(parents=True, exist_ok=True)
        one.save(tmp_path / "classes" / f"{i // 10}" / f"{i}.png")
    real = as_tensor(drawn(40, first=40))
    assert findings(real, tmp_path / "sorted.npz")["class-sorted"].severity == "notable"
    assert "class-sorted" not in findings(real, tmp_path / "mixed.npz")
    assert "class-sorted" not in findings(real, tmp_path / "classes")
    assert findings(real, tmp_path / "classes", convention="improved-gan")["class-sorted"].severity == "doubtful"


def test_pictures_that_cannot_be_read_are_a_finding_and_not_the_end(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    fake = tmp_path / "fake"
    shutil.copytree(folders[1], fake)
    (fake / "broken.png").write_bytes(b"\x89PNG no more")
    found = findings(folders[0], fake)
    assert found["unreadable"].severity == "wrong"
    assert found["unreadable"].files[0].startswith("broken.png: ")
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"none of 1 pictures .* can be used; the first is a.png: the file is empty"):
        diagnose(folders[0], tmp_path / "all")
    with pytest.raises(InputError, match="a sample has at least 2 pictures, got 1"):
        diagnose(*folders, sample=1)


def test_a_file_says_its_format_quality_transparency_rotation_and_camera() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Make", "Model"
    for quality in (50, 75, 90, 95):
        said = about(encoded(REAL[0], "JPEG", quality=quality, exif=exif))
        assert (said.format, said.quality, said.rotated, said.camera) == ("JPEG", quality, True, "Make Model")
    assert about(encoded(REAL[0])) == ("PNG", None, False, False, None)
    assert not about(encoded(REAL[0].convert("RGBA"))).transparent


def run(*args: object, code: int) -> str:
    done = CliRunner().invoke(main, ["doctor", *map(str, args)], catch_exceptions=False)
    assert done.exit_code == code, done.stderr
    return done.stdout


def test_the_command_prints_findings_and_its_status_tells(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders
    many = tmp_path / "many.npy"
    np.save(many, np.random.default_rng(0).integers(0, 256, (600, 8, 8, 3), dtype=np.uint8))
    assert "nothing found" in run(many, "--extractor", "tiny", code=0)
    assert "few-images" in run(real, fake, "--no-measure", code=3)
    line = run(real, fake, "--json", "--sample", 60, "--seed", 1, code=3)
    assert line.count("\n") == 1
    values = json.loads(line)
    assert values["num_looked"] == {"real": 60, "fake": 60}
    assert (values["score_key"], values["seed"], values["healthy"]) == ("fd_tiny", 1, False)
    assert {"check", "severity", "what", "remedy", "files", "shift"} <= values["findings"][0].keys()
    run(real, "no/where", code=1)
    run(real, fake, "--sample", 1, code=2)


def test_scoring_says_what_its_own_pass_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GANEVAL_CACHE_SIZE")
    real, fake = save_all(REAL[:24], tmp_path / "real"), tmp_path / "fake"
    fake.mkdir()
    for i, one in enumerate([*FAKE[:20], *FAKE[:3]]):
        (fake / f"{i}.jpg").write_bytes(encoded(one.resize((32, 32)), "JPEG"))
    shutil.copy(real / "00000.png", fake / "leak.png")
    first = ganeval.evaluate(real, fake, extractor="tiny")
    again = ganeval.evaluate(real, fake, extractor="tiny")
    assert first.to_json() == again.to_json() == ganeval.evaluate(real, fake, extractor="tiny", cache=False).to_json()
    for note in (
        "3 of 24 fake images equal another",
        "1 of 24 fakes equal a real",
        "the reals are 48×48 pixels and the fakes 32×32",
        "JPEG",
    ):
        assert any(note in one for one in first.notes), note
    clean = ganeval.evaluate(real, as_tensor(FAKE[:24]), extractor="tiny").notes
    assert not any("doctor" in note for note in clean)


def test_a_diagnosis_is_plain_values(folders: tuple[Path, Path]) -> None:
    found: Diagnosis = diagnose(*folders, measure=False)
    assert json.loads(found.to_json()) == json.loads(json.dumps(found.to_dict()))
    assert str(found).endswith("(seed 2020)")
