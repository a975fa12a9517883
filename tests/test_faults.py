"""Full disks, folders that cannot be written, two runs in one folder, files that change, helpers that die: one sentence, nothing lost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import victims
from click.testing import CliRunner, Result
from writers import WRITERS, Writer

import ganeval
from conftest import MeanColor
from ganeval import InputError, Monitor
from ganeval.cache.store import Store
from ganeval.cli import main
from ganeval.download import download
from ganeval.errors import Notice
from ganeval.files import written_at_once
from ganeval.images import Seen, open_images
from ganeval.images.png import write_png
from ganeval.training import session
from ganeval.training.checkpoint import load_checkpoint
from ganeval.training.data import stacked
from ganeval.training.datasets import pictures as training_pictures
from ganeval.training.run_folder import RunFolder
from ganeval.training.settings import Settings, settings_for
from pictures import pictures, save_all
from server import serving
from small_models import small_data

pytestmark = pytest.mark.usefixtures("one_thread")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def mounted(folder: Path, *options: str) -> None:
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no file system can be mounted here")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted(folder, "-o", "size=3m")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        for _ in range(10_000):
            file.write(bytes(4096))


def make_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def write_many(one: Writer, disk: Path) -> None:
    """A page of the disk has room for many lines."""
    for version in range(2, 200):
        one.write(disk, version)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_an_error_that_names_the_file_and_the_older_one_stays(kind: str, disk: Path) -> None:
    one = WRITERS[kind]
    one.write(disk, 1)
    fill(disk)
    with pytest.raises(Exception, match="No space left") as caught:
        write_many(one, disk)
    if kind != "cache entry":  # safetensors has an error of its own, which the cache turns into a sentence
        assert isinstance(caught.value, OSError)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(disk / one.name))
    assert {path.name for path in disk.iterdir()} == {one.name, "filler"}
    assert one.read(disk) == 1 or kind == "lines"
    (disk / "filler").unlink()
    one.write(disk, 250)
    assert one.read(disk) == 250


@pytest.mark.parametrize("kind", WRITERS)
def test_a_folder_that_can_only_be_read_is_an_error_that_names_it_and_the_older_file_stays(kind: str, disk: Path) -> None:
    one = WRITERS[kind]
    one.write(disk, 1)
    make_read_only(disk)
    with pytest.raises(OSError, match=str(disk)):
        one.write(disk, 2)
    assert [path.name for path in disk.iterdir()] == [one.name]
    assert one.read(disk) == 1


@pytest.mark.parametrize("fault", [fill, make_read_only])
def test_where_nothing_can_be_written_commands_say_where_and_scores_are_printed_all_the_same(
    fault: Callable[[Path], None], disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = save_all(pictures(8, (32, 32)), tmp_path / "real")
    expected = run("fid", real, real, "--extractor", "tiny", "--json", "--no-cache").stdout
    fault(disk)
    monkeypatch.setenv("GANEVAL_HOME", str(disk / "home"))
    monkeypatch.delenv("GANEVAL_CACHE_SIZE")
    scored = run("fid", real, real, "--extractor", "tiny", "--json")
    assert (scored.exit_code, scored.stdout) == (0, expected)
    assert scored.stderr.startswith("note: ")
    assert scored.stderr.count("\n") == 1
    trains = ["train", "gan", "--out", disk / "run", "--num-steps", "2", "--extractor", "tiny", "--quiet", "--device", "cpu"]
    for arguments in (
        ["stats", "compute", real, "--extractor", "tiny", "-o", disk / "real.npz", "--no-cache"],
        [*trains, "--data", on_disk(tmp_path / "data"), "--config", "paper", "--image-size", "8"],
    ):
        done = run(*arguments)
        assert done.exit_code == 1
        assert done.stderr.startswith(f"Error: {disk}")
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_a_page_that_finds_the_disk_full_costs_no_score(disk: Path, tmp_path: Path) -> None:
    real = save_all(pictures(8, (32, 32)), tmp_path / "real")
    arguments = ["fid", real, real, "--extractor", "tiny", "--json", "--no-cache", "--quiet"]
    expected = run(*arguments).stdout
    fill(disk)
    done = run(*arguments, "--report", disk / "page.html")
    assert (done.exit_code, done.stdout) == (1, expected)
    assert done.stderr == f"Error: {disk}/page.html: No space left on device\n"


def test_a_monitor_that_finds_the_disk_full_goes_on_and_what_it_calls_the_best_is_what_it_kept(disk: Path) -> None:
    net = torch.nn.Linear(1, 1)
    real = torch.randint(0, 256, (60, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    watched: dict[str, Any] = {"extractor": MeanColor(), "device": "cpu", "num_images": 40, "budget": None, "every": 1}
    monitor = Monitor(real, folder=disk, keep={"net": net}, **watched)
    monitor(0, lambda n: real[:1].expand(n, -1, -1, -1))
    fill(disk)
    with pytest.warns(Notice) as told:
        record = monitor(1, lambda n: real[:n])
    assert [str(one.message).partition(":")[0] for one in told] == [
        "step 1 has the best score so far, and is not kept",
        "the score of step 1 is in `history`, and missing in a log",
    ]
    assert all(str(one.message).endswith("No space left on device") for one in told)
    assert record is not None
    assert record.choice < monitor.history[0].choice
    assert (monitor.best, load_checkpoint(disk / "best.pt")["step"]) == (monitor.history[0], 0)
    (disk / "filler").unlink()
    assert monitor(2, lambda n: real[:n]) == monitor.best
    fill(disk)
    begun = Monitor(real, folder=disk, keep={"net": net}, **watched)
    with pytest.raises(OSError, match="No space left"):
        begun(0, lambda n: real[:n])


def test_a_download_that_finds_the_disk_full_names_the_file(disk: Path) -> None:
    content = bytes(100_000)
    fill(disk)
    with serving(content) as server, pytest.raises(OSError, match="No space left") as caught:
        download([server.url], disk / "a.bin", sha256=hashlib.sha256(content).hexdigest())
    assert caught.value.filename == str(disk / "a.bin.part")


def test_a_standard_output_that_is_full_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.MonkeyPatch.context() as patch, open("/dev/full", "w") as full:
        patch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            main(["conventions"])
        assert ended.value.code == 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # or closing it would fail again
    assert capfd.readouterr().err == "Error: standard output: No space left on device\n"


def test_devices_are_written_to_and_never_replaced(tmp_path: Path) -> None:
    link = tmp_path / "out.html"
    link.symlink_to("/dev/null")
    with written_at_once(link) as file:
        file.write(b"<html>")
    assert link.is_symlink()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_compressed_archive_that_cannot_be_expanded_for_want_of_space_is_not_called_damaged(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = save_all(pictures(8, (32, 32)), tmp_path / "real")
    with tarfile.open(tmp_path / "real.tar.gz", "w:gz") as archive:
        archive.add(real, "real")
    fill(disk)
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    done = run("fid", tmp_path / "real.tar.gz", real, "--extractor", "tiny")
    assert (done.exit_code, done.stderr) == (1, f"Error: {disk}: No space left on device\n")


# Two runs in one folder


def on_disk(folder: Path) -> Path:
    """Small data as a folder that `--data` takes."""
    data = small_data("images", 8)
    for part, split in (("train", data.train), ("test", data.test)):
        (folder / part).mkdir(parents=True)
        for index, image in enumerate(stacked(split.images)):
            write_png(folder / part / f"{index:03d}.png", image)
    return folder


def gan(data: Path, *, num_steps: int = 6, score_every: int = 100) -> Settings:
    config = {"z_dim": 8, "batch_size": 4, "num_steps": num_steps}
    given = {"data": str(data), "preset": "paper", "image_size": 8, "extractor": "tiny", "num_fakes_training": 12}
    return settings_for("gan", {**given, "score_every": score_every, "checkpoint_every": 2, "config": config})


@pytest.mark.slow
def test_a_second_run_in_a_folder_is_refused_as_long_as_the_first_lives_and_not_longer(tmp_path: Path) -> None:
    data, folder = on_disk(tmp_path / "data"), tmp_path / "run"
    session.start(gan(data), folder, device="cpu")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with victims.started(victims.hold, folder) as child:
        longer = ["train", "gan", "--resume", folder, "--num-steps", "8", "--quiet", "--device", "cpu"]
        refused = run(*longer)
        assert refused.exit_code == 1
        assert refused.stderr == f"Error: another run is writing in {folder}; wait until it ends, or choose another folder\n"
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
    assert run(*longer).exit_code == 0
    assert load_checkpoint(folder / "checkpoints" / "last.pt")["step"] == 8


def test_a_run_that_ended_before_its_first_checkpoint_is_told_apart_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunFolder(folder).held():
        RunFolder.created(folder, {})
    with pytest.raises(InputError, match="ended before its first checkpoint: remove it, or choose another --out"):
        RunFolder.created(folder, {})


def test_what_a_killed_run_left_half_written_is_removed_when_it_goes_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    for name in (".last.pt.abcd_123", "last.pt", ".hidden"):
        (tmp_path / "checkpoints" / name).write_bytes(b"x")
    with folder.held():
        assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"last.pt", ".hidden"}


# Pictures that vanish or change, and helpers that die


def rewrite(file: Path) -> None:
    write_png(file, torch.zeros(3, 8, 8, dtype=torch.uint8))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda data: (data / "train" / "007.png").unlink(), r"train/007\.png in .*: cannot be read: No such file or directory"),
        (lambda data: rewrite(data / "train" / "007.png"), r"train/007\.png in .*: it was written to since it was listed"),
    ],
    ids=["vanishes", "changes"],
)
def test_a_run_whose_pictures_do_not_stay_in_memory_ends_with_one_sentence(
    act: Callable[[Path], object], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_pictures, "STORED_BYTES", 0)
    data = on_disk(tmp_path / "data")
    settings = gan(data, num_steps=20_000)
    with pytest.raises(InputError, match=says) as caught:
        session.start(settings, tmp_path / "run", device="cpu", watch=victims.Meanwhile(lambda: act(data)))
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["step"] > 0


def test_a_picture_that_vanishes_between_listing_and_reading_is_named(tmp_path: Path) -> None:
    source = open_images(save_all(pictures(8, (32, 32)), tmp_path / "real"))
    (tmp_path / "real" / "00003.png").unlink()
    with pytest.raises(InputError, match=r"(?s)1 of 8 images .*00003\.png: cannot be read: No such file"):
        ganeval.evaluate(source, source, extractor="tiny")


@pytest.mark.parametrize("kind", ["tar", "npy", "npz"])
def test_an_archive_or_array_that_is_written_to_while_it_is_read_gives_no_score(kind: str, tmp_path: Path) -> None:
    folder, path = save_all(pictures(64, (32, 32)), tmp_path / "real"), tmp_path / f"real.{kind}"
    if kind == "tar":
        with tarfile.open(path, "w") as archive:
            archive.add(folder, "real")
    else:
        images = np.random.default_rng(0).integers(0, 255, (64, 32, 32, 3), dtype=np.uint8)
        np.savez(path, images) if kind == "npz" else np.save(path, images)
    whole = path.read_bytes()
    batches = open_images(path).batches(Seen(), batch_size=4)
    next(batches)
    with path.open("r+b") as file:  # in place, as rsync --inplace does it
        file.write(whole[:-1000] + whole[-1000:])
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    with pytest.raises(InputError, match=rf"real\.{kind} was written to while it was read, so there is no score"):
        list(batches)


@pytest.mark.slow
def test_a_run_that_loses_a_loader_of_pictures_ends_with_one_sentence(tmp_path: Path) -> None:
    settings = gan(on_disk(tmp_path / "data"), num_steps=20_000)
    said = victims.said(victims.lose_a_loader_in_training, settings, tmp_path / "run")
    assert said.startswith("a process that loads pictures has ended")
    assert said.endswith(f"go on with --resume {tmp_path / 'run'}")
    assert "\n" not in said
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["step"] > 0


@pytest.mark.slow
def test_a_score_that_loses_a_loader_of_somebody_else_is_an_error_and_no_hang() -> None:
    said = victims.said(victims.lose_a_loader_in_scoring)
    assert "DataLoader worker" in said or "a process that loads pictures has ended" in said


# Clocks


@pytest.mark.slow
def test_a_clock_that_jumps_moves_neither_losses_nor_seconds_nor_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = on_disk(tmp_path / "data")
    session.start(gan(data, score_every=3), tmp_path / "steady", device="cpu")
    now, asked = time.time, iter(range(10**9))

    def jumping() -> float:
        return now() + (3 if next(asked) % 2 else -3) * 365 * 86400

    monkeypatch.setattr(time, "time", jumping)
    monkeypatch.setattr(time, "time_ns", lambda: int(jumping() * 1e9))
    session.start(gan(data, score_every=3), tmp_path / "jumping", device="cpu")
    for name in ("losses", "scores"):
        files = (tmp_path / run / f"{name}.jsonl" for run in ("steady", "jumping"))
        steady, jumped = ([json.loads(line) for line in file.read_text().splitlines()] for file in files)
        seconds = [line["seconds"] for line in jumped]
        assert seconds == sorted(seconds)
        assert 0 <= seconds[0] <= seconds[-1] < 3600
        for line in (*steady, *jumped):
            del line["seconds"]
            line.pop("cost", None)
        assert jumped == steady


def test_entries_of_a_clock_that_ran_ahead_do_not_keep_new_ones_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    folder = save_all(pictures(8, (32, 32)), tmp_path / "real")

    def keep(weights: str) -> set[str]:
        ganeval.evaluate(folder, folder, extractor=victims.MeanAndMore(weights))
        return {path.name for path in Store().entries()}

    monkeypatch.setenv("GANEVAL_CACHE_SIZE", "1MB")
    first = keep("a")
    size = sum(path.stat().st_size for path in Store().entries())
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", str(size * 3 // 2))  # room for one
    for path in Store().entries():
        os.utime(path, (time.time() + 10 * 365 * 86400,) * 2)
    second = keep("b")
    assert second
    assert not second & first
