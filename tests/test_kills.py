"""kill -9 at any moment: afterwards every file is whole or absent, and what was broken off goes on as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
import torch
import victims
from PIL import Image
from victims import killed, started
from writers import WRITERS

import ganeval
from ganeval.cache.entry import Entry
from ganeval.cache.store import Store
from ganeval.download import download
from ganeval.files import UNFINISHED, remove_unfinished
from ganeval.images.png import write_png
from ganeval.training.checkpoint import load_checkpoint
from ganeval.training.data import stacked
from ganeval.training.settings import settings_for
from pictures import pictures, save_all
from server import serving
from small_models import small_data

pytestmark = pytest.mark.slow
TRAINED, WRITTEN, KEPT, FETCHED = 20, 45, 20, 20  # kills


def test_killed_while_it_writes_a_file_is_of_one_version_or_absent(tmp_path: Path) -> None:
    rng = random.Random(0)
    found = dict.fromkeys(WRITERS, 0)
    torn = 0
    for kill in range(WRITTEN):
        assert killed(victims.write, tmp_path, kill, rng=rng, within=0.4)
        for kind, one in WRITERS.items():
            found[kind] += one.read(tmp_path) if (tmp_path / one.name).exists() else 0
        others = {path.name for path in tmp_path.iterdir()} - {one.name for one in WRITERS.values()}
        assert all(UNFINISHED.fullmatch(name) for name in others)
        torn += bool(others)
        remove_unfinished(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} <= {one.name for one in WRITERS.values()}
    assert torn > WRITTEN / 8  # or the kills hit nothing
    assert all(found.values())
    for one in WRITERS.values():
        one.write(tmp_path, 77)
        assert one.read(tmp_path) == 77


def test_killed_while_it_keeps_features_a_cache_answers_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", victims.CACHE_SIZE)
    folder = save_all(pictures(8, (32, 32)), tmp_path / "real")
    rng, kept = random.Random(1), 0
    for _ in range(KEPT):
        assert killed(victims.keep, tmp_path / "home", folder, rng=rng, within=1)
        for path in Store().entries():
            Entry.read(path, path.stem.partition("-")[2])
            kept += 1
        if Store().index.path.exists():
            with sqlite3.connect(Store().index.path) as table:
                assert table.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert kept
    expected = ganeval.evaluate(folder, folder, extractor=victims.MeanAndMore("x"), cache=False).to_json()
    assert [ganeval.evaluate(folder, folder, extractor=victims.MeanAndMore("x")).to_json() for _ in range(2)] == [expected] * 2
    assert not list(Store().folder.glob(".*"))


def test_killed_while_it_downloads_a_file_is_whole_or_absent_and_its_part_is_used(tmp_path: Path) -> None:
    content = random.Random(2).randbytes(3_000_000)
    sha256 = hashlib.sha256(content).hexdigest()
    rng, parts = random.Random(3), 0
    with serving(content) as server:
        for kill in range(FETCHED):
            folder = tmp_path / str(kill)
            folder.mkdir()
            assert killed(victims.fetch, server.url, sha256, folder, rng=rng, within=0.4)
            assert all(path.read_bytes() == content for path in folder.glob("*.bin"))
            for part in folder.glob("*.part"):
                assert content.startswith(part.read_bytes())
                parts += 1
                whole = part.with_name(part.name.removesuffix(".part"))
                assert download([server.url], whole, sha256=sha256).read_bytes() == content
    assert parts


def test_killed_while_it_trains_a_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    data = small_data("images", 8)
    for part, split in (("train", data.train), ("test", data.test)):
        (tmp_path / "data" / part).mkdir(parents=True)
        for index, image in enumerate(stacked(split.images)):
            write_png(tmp_path / "data" / part / f"{index}.png", image)
    given = {"data": str(tmp_path / "data"), "preset": "paper", "image_size": 8, "extractor": "tiny", "num_fakes_training": 12}
    often = {"score_every": 6, "sample_every": 4, "checkpoint_every": 2}
    settings = settings_for("gan", {**given, **often, "config": {"z_dim": 8, "batch_size": 4, "num_steps": 24}})
    with started(victims.train, settings, tmp_path / "whole", True) as child:
        child.join(120)
        assert child.exitcode == 0

    rng, kills, folder = random.Random(4), 0, tmp_path / "run"
    reached = set()
    while kills < TRAINED or folder.exists():
        if not (folder / "checkpoints" / "last.pt").exists():  # then it has to be begun again
            shutil.rmtree(folder, ignore_errors=True)
        with started(victims.train, settings, folder, rng.random() < 0.2) as child:
            child.join(rng.uniform(0, 0.8) if kills < TRAINED else 120)
            killed_now = child.exitcode is None
        kills += killed_now
        check_whole(folder)
        last = folder / "checkpoints" / "last.pt"
        step = load_checkpoint(last)["step"] if last.exists() else 0
        reached.add(step)
        if step == settings.config["num_steps"]:  # killed after that, there is nothing to go on with
            check_same(folder, tmp_path / "whole")
            shutil.rmtree(folder)
        else:
            assert killed_now
    assert len(reached) > 2  # or no kill fell between the first checkpoint and the last


def check_whole(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() or UNFINISHED.fullmatch(path.name):
            continue
        match path.suffix:
            case ".pt":
                load_checkpoint(path)
            case ".json":
                json.loads(path.read_text())
            case ".jsonl":
                assert all(json.loads(line) for line in path.read_bytes().split(b"\n")[:-1])
            case ".png":
                Image.open(path).load()
            case ".html":
                assert path.read_text().rstrip().endswith("</html>")


def check_same(folder: Path, expected: Path) -> None:
    """All that the next steps of a run depend on; only seconds differ."""
    for name in ("last", "best"):
        found, wanted = (load_checkpoint(run / "checkpoints" / f"{name}.pt") for run in (folder, expected))
        for part in ("step", "nets", "average", "optimizers", "batches", "random"):
            torch.testing.assert_close(found[part], wanted[part], rtol=0, atol=0, equal_nan=True)
    assert not [path for path in (folder / "checkpoints").iterdir() if path.suffix != ".pt"]
    assert [path.read_bytes() for path in sorted((folder / "samples").glob("*.png"))] == [
        path.read_bytes() for path in sorted((expected / "samples").glob("*.png"))
    ]
