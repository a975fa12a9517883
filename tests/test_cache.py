"""Cache: a second run gives the same report without the network, and nothing that changed is ever taken for what it was."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

import ganeval
from ganeval import Activations, Evaluator, InputError
from ganeval.cache.contents import looked_up
from ganeval.cache.entry import PARTS, Entry, answerable
from ganeval.cache.store import Store, bound
from ganeval.cli import main
from ganeval.errors import Notice
from ganeval.extract import measure
from ganeval.extractors.protocol import Identity
from ganeval.images import open_images
from ganeval.images.origin import CLOCK_NS, Origin
from ganeval.measured import Need
from layouts import zipped
from pictures import as_tensor, pictures, save_all

ALL: dict[str, Any] = {"metrics": "all", "subset_size": 5, "num_subsets": 3, "num_splits": 2}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut off": lambda whole: whole[:-100],
    "a byte of a tensor": lambda whole: whole[:-50] + bytes([whole[-50] ^ 1]) + whole[-49:],
    "a byte of the header": lambda whole: whole.replace(b"pixels_sha256", b"pixels_sha255", 1),
    "another file": lambda whole: b"<html>not found</html>",
}


class Counting:
    """Features by hand from a network that states its weights and counts the images it is given."""

    name, dim = "counting", 3

    def __init__(self, weights: str = "a", preprocessing: str = "none") -> None:
        self.identity = Identity(weights_sha256=weights, standard=True, preprocessing=preprocessing)
        self.seen = 0

    def __call__(self, images: Tensor) -> Activations:
        self.seen += len(images)
        mean = images.double().mean(dim=(2, 3)).float()
        return Activations(mean, mean / 25.5, images[:, 0, :2, :2].flatten(1).float())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GANEVAL_CACHE_SIZE")
    return tmp_path / "home"


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return save_all(pictures(8, (32, 32)), tmp_path / "real")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same pictures in every kind of file, old enough for the clock of the file system."""
    root = tmp_path_factory.mktemp("sources")
    folder = root / "folder"
    for i, name in enumerate(("cat", "dog")):
        save_all(pictures(8, (32, 32), skip=8 * i), folder / name)
    zipped(folder)
    for name, mode in (("one.tar", "w"), ("packed.tar.gz", "w:gz"), ("shards/0.tar", "w"), ("shards/1.tar", "w")):
        (root / name).parent.mkdir(exist_ok=True)
        with tarfile.open(root / name, mode) as archive:  # type: ignore[call-overload]
            archive.add(folder, ".")
    array = as_tensor(pictures(16, (32, 32))).permute(0, 2, 3, 1).numpy()
    np.save(root / "array.npy", array)
    np.savez(root / "arrays.npz", arr_0=array, arr_1=np.arange(16) % 2)
    time.sleep(CLOCK_NS / 1e9 + 0.1)
    names = ("folder", "folder.zip", "one.tar", "packed.tar.gz", "shards", "array.npy", "arrays.npz")
    return {name: root / name for name in names}


def seen(source: Any, **options: Any) -> int:
    """How many images the network is given for the reals."""
    extractor = options.pop("extractor", None) or Counting()
    Evaluator(source, **{"extractor": extractor, **options})
    return int(extractor.seen)


def entries() -> list[Path]:
    return Store().entries()


KINDS = ("folder", "folder.zip", "one.tar", "packed.tar.gz", "shards", "array.npy", "arrays.npz")


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_run_gives_the_same_report_to_the_last_bit_without_the_network(kind: str, sources: dict[str, Path]) -> None:
    fake = as_tensor(pictures(9, (32, 32), skip=40))
    without = ganeval.evaluate(sources[kind], fake, extractor=Counting(), cache=False, **ALL)
    first = ganeval.evaluate(sources[kind], fake, extractor=Counting(), **ALL)
    extractor = Counting()
    second = ganeval.evaluate(sources[kind], fake, extractor=extractor, **ALL)
    assert extractor.seen == len(fake)
    assert first.to_json() == second.to_json() == without.to_json()


def test_fakes_and_held_out_images_are_kept_too(sources: dict[str, Path], real: Path) -> None:
    reports = []
    for _ in range(2):
        extractor = Counting()
        reports.append(ganeval.evaluate(real, sources["folder"], held_out=sources["one.tar"], extractor=extractor, **ALL).to_json())
    assert extractor.seen == 0
    assert reports[0] == reports[1]


def test_stats_of_a_second_run_are_the_same_bits_and_say_the_same(real: Path) -> None:
    first, second = (Evaluator(real, extractor="tiny").reference for _ in range(2))
    assert torch.equal(first.stats.mean, second.stats.mean)
    assert torch.equal(first.stats.scatter, second.stats.scatter)
    assert first.made_with == second.made_with


def test_a_changed_pixel_is_noticed_though_size_and_time_stay(tmp_path: Path) -> None:
    folder = tmp_path / "bmp"
    folder.mkdir()
    for i, picture in enumerate(pictures(4, (32, 32))):
        picture.save(folder / f"{i}.bmp")  # not compressed: a picture of another content has the same size
    changed = folder / "2.bmp"

    def change() -> None:
        before, data = changed.stat(), bytearray(changed.read_bytes())
        data[-1] = (data[-1] + 1) % 256
        changed.write_bytes(data)
        os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = changed.stat()
        assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    assert [seen(folder), seen(folder)] == [4, 0]
    change()  # at once: the clock of the file system may stand still
    assert [seen(folder), seen(folder)] == [4, 0]
    time.sleep(CLOCK_NS / 1e9 + 0.1)
    assert seen(folder) == 0
    assert None not in Store().index.digests(open_images(folder).origin)  # type: ignore[attr-defined]
    change()  # of a file whose bytes the index has
    assert [seen(folder), seen(folder)] == [4, 0]


def test_unchanged_files_are_not_read_again_once_the_clock_tells_changes_apart(real: Path) -> None:
    assert seen(real) == 8
    young = open_images(real).origin  # type: ignore[attr-defined]
    assert Store().index.digests(young) == [None] * 8
    time.sleep(CLOCK_NS / 1e9 + 0.1)
    assert seen(real) == 0
    known = Store().index.digests(young)
    assert known == looked_up(young, Store())
    assert None not in known


@pytest.mark.parametrize("change", ["added", "removed", "renamed", "replaced", "swapped", "other folder"])
def test_another_set_is_noticed(change: str, real: Path) -> None:
    seen(real)
    if change == "added":
        save_all(pictures(1, (32, 32), skip=50), real / "more")
    if change == "removed":
        (real / "00003.png").unlink()
    if change == "renamed":
        (real / "00003.png").rename(real / "00009.png")
    if change == "replaced":
        Image.open(real / "00004.png").transpose(Image.Transpose.ROTATE_90).save(real / "00003.png")
    if change == "swapped":
        (real / "00003.png").rename(real / "x")
        (real / "00004.png").rename(real / "00003.png")
        (real / "x").rename(real / "00004.png")
    if change == "other folder":
        real = save_all(pictures(8, (32, 32), skip=8), real.with_name("other"))
    expected = Evaluator(real, extractor=Counting(), cache=False).reference
    assert seen(real) == expected.stats.count
    assert seen(real) == 0
    assert Evaluator(real, extractor=Counting()).reference.made_with == expected.made_with


def test_a_copy_of_the_set_elsewhere_is_the_same_set(real: Path, tmp_path: Path) -> None:
    seen(real)
    assert seen(real.rename(tmp_path / "moved")) == 0


def test_an_opened_source_whose_files_change_is_read_as_it_is(real: Path) -> None:
    source = open_images(real)
    seen(source)
    Image.new("RGB", (32, 32)).save(real / "00000.png")
    found = Evaluator(source, extractor=Counting()).reference.stats
    expected = Evaluator(real, extractor=Counting(), cache=False).reference.stats
    assert torch.equal(found.mean, expected.mean)


def test_nothing_is_kept_of_files_that_change_while_they_are_read(real: Path) -> None:
    class Meddling(Counting):
        def __call__(self, images: Tensor) -> Activations:
            Image.new("RGB", (32, 32)).save(real / "00000.png")
            return super().__call__(images)

    assert seen(real, extractor=Meddling()) == 8
    assert entries() == []
    assert seen(real) == 8


def test_an_archive_too_young_for_the_clock_is_kept_by_a_later_run(sources: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "young.zip"
    path.write_bytes(sources["folder.zip"].read_bytes())
    assert [seen(path), seen(path)] == [16, 16]


@pytest.mark.parametrize(
    "other",
    [
        {"extractor": Counting(weights="b")},
        {"extractor": Counting(preprocessing="other")},
        {"convention": "clean-fid"},
        {"batch_size": 3},
        {"skip_bad": True},
    ],
    ids=["weights", "preprocessing", "convention", "batch size", "skip_bad"],
)
def test_whatever_moves_a_feature_is_noticed(other: dict[str, Any], real: Path) -> None:
    seen(real)
    assert seen(real, **other) == 8
    assert seen(real) == 0


def test_the_number_of_threads_is_part_of_it(real: Path) -> None:
    seen(real)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        assert seen(real) == 8
    finally:
        torch.set_num_threads(threads)


def test_a_network_that_does_not_state_its_weights_is_not_kept(real: Path) -> None:
    class Silent(Counting):
        def __init__(self) -> None:
            super().__init__()
            self.identity = Identity(weights_sha256=None, standard=True, preprocessing="none")

    assert [seen(real, extractor=Silent()) for _ in range(2)] == [8, 8]
    assert entries() == []


def test_images_in_memory_and_no_cache_keep_nothing(real: Path) -> None:
    for source, options in ((as_tensor(pictures(8, (32, 32))), {}), (real, {"cache": False})):
        assert [seen(source, **options) for _ in range(2)] == [8, 8]
    assert not Store().folder.exists()


def test_one_of_several_processes_keeps_nothing(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert [seen(real), seen(real)] == [8, 8]


def test_what_another_metric_needs_is_added(real: Path) -> None:
    assert seen(real) == 8
    assert seen(real, metrics=("fid", "precision")) == 8
    assert len(entries()) == 1
    assert [seen(real, metrics=metrics) for metrics in (("fid",), ("precision",), ("fid", "precision"))] == [0, 0, 0]


def test_only_the_network_that_has_not_seen_the_images_runs(real: Path) -> None:
    fake = as_tensor(pictures(5, (32, 32), skip=40))
    without = ganeval.evaluate(real, fake, metrics=("fid", "fd_tiny"), extractor=Counting(), cache=False)
    ganeval.evaluate(real, fake, metrics=("fd_tiny",))
    extractor = Counting()
    for expected in (8 + 5, 8 + 5 + 5):
        found = ganeval.evaluate(real, fake, metrics=("fid", "fd_tiny"), extractor=extractor)
        assert extractor.seen == expected
        assert found.to_json() == without.to_json()


def subsets(needs: Sequence[Need]) -> Iterator[tuple[Need, ...]]:
    return chain.from_iterable(combinations(needs, size) for size in range(1, len(needs) + 1))


def test_an_entry_answers_as_a_pass_for_the_same_needs_does(real: Path, tmp_path: Path) -> None:
    def passed(*needs: Need) -> Entry:
        measured, seen = measure(open_images(real), {"x": Counting()}, needs={"x": needs}, device=torch.device("cpu"))
        return Entry.of("x", measured["x"], seen, needs)

    (passed(*PARTS) | passed("sample")).write(tmp_path / "all.safetensors", "key")
    for needs in subsets([*PARTS]):
        entry, expected = Entry.read(tmp_path / "all.safetensors", "key", needs), passed(*needs)
        assert answerable(entry, needs, lenient=False)
        assert entry.tensors.keys() == expected.tensors.keys()
        assert all(torch.equal(entry.tensors[name], tensor) for name, tensor in expected.tensors.items())
        again = entry.measured(needs)
        assert (again.stats is None, again.spatial is None) == ("stats" not in needs, not any("spatial" in need for need in needs))


def test_a_network_without_logits_is_asked_once_and_is_still_refused(real: Path) -> None:
    class Bare(Counting):
        def __call__(self, images: Tensor) -> Activations:
            return super().__call__(images)._replace(logits=None, spatial=None)

    reports = []
    for _ in range(2):
        extractor = Bare()
        reports.append(ganeval.evaluate(real, real, extractor=extractor, **ALL).to_json())
    assert extractor.seen == 0
    assert reports[0] == reports[1]
    with pytest.raises(InputError, match="no class logits"):
        ganeval.evaluate(real, real, metrics=("fid", "is"), extractor=Bare(), num_splits=2)


def test_bad_pictures_are_left_out_and_told_of_again(real: Path) -> None:
    (real / "00002.png").write_bytes(b"no picture")
    reports = [ganeval.evaluate(real, real, extractor=Counting(), skip_bad=True).to_json() for _ in range(2)]
    assert reports[0] == reports[1]
    assert json.loads(reports[0])["provenance"]["real"]["num_skipped"] == 1
    assert seen(real, skip_bad=True) == 0
    with pytest.raises(InputError, match="1 of 8 images"):
        seen(real)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_removed_and_made_again(damage: str, real: Path) -> None:
    fake = as_tensor(pictures(5, (32, 32), skip=40))
    expected = ganeval.evaluate(real, fake, extractor=Counting()).to_json()
    (path,) = entries()
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    assert path.read_bytes() != whole
    extractor = Counting()
    assert ganeval.evaluate(real, fake, extractor=extractor).to_json() == expected
    assert extractor.seen == 8 + 5
    assert seen(real) == 0


def test_a_damaged_index_is_made_again(real: Path) -> None:
    time.sleep(CLOCK_NS / 1e9 + 0.1)
    seen(real)
    Store().index.path.write_bytes(b"x" * 5000)
    assert seen(real) == 0
    assert None not in Store().index.digests(open_images(real).origin)  # type: ignore[attr-defined]


def test_the_least_recently_used_entries_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [save_all(pictures(3, (32, 32), skip=3 * i), tmp_path / str(i)) for i in range(3)]
    for folder in sets[:2]:
        seen(folder)
    size = max(path.stat().st_size for path in entries())
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", str(2 * size + 100))
    seen(sets[0])  # now the second is the one that was not used for longest
    seen(sets[2])
    assert len(entries()) == 2
    assert [seen(sets[0]), seen(sets[2]), seen(sets[1])] == [0, 0, 3]


def test_an_entry_beyond_the_bound_is_not_kept_and_costs_no_other(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen(real)
    (path,) = entries()
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", str(path.stat().st_size + 10))
    Evaluator(real, extractor="tiny")
    assert entries() == [path]
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", "0")
    assert seen(real) == 8


@pytest.mark.parametrize(("text", "expected"), [("1000", 1000), ("1.5kB", 1500), ("500MB", 5 * 10**8), ("2 GiB", 2**31), ("", 2**31)])
def test_the_bound_is_written_as_people_write_sizes(text: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", text)
    assert bound() == expected


@pytest.mark.parametrize("text", ["much", "-1", "5 apples", "3IB"])
def test_another_bound_is_refused(text: str, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", text)
    with pytest.raises(InputError, match="GANEVAL_CACHE_SIZE is"):
        seen(real)


def test_a_home_that_cannot_be_written_costs_one_sentence(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "file/home"))
    with pytest.warns(Notice, match="cannot be written") as told:
        found = ganeval.evaluate(real, real, extractor="tiny").to_json()
    assert len({str(one.message) for one in told}) == 1
    done = CliRunner().invoke(main, ["fid", str(real), str(real), "--extractor", "tiny", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.strip() == found
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("note: ")


def test_what_a_home_that_can_only_be_read_holds_is_used(real: Path) -> None:
    seen(real)
    folder = Store().folder
    (folder / "lock").unlink(missing_ok=True)
    (folder / "lock").mkdir()  # stops root too, whom the next line does not
    folder.chmod(0o500)
    try:
        assert seen(real) == 0
    finally:
        folder.chmod(0o700)


def test_a_full_disk_costs_one_sentence_and_leaves_nothing(real: Path) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # of a file: the nearest thing to a disk that is full
    try:
        with pytest.warns(Notice, match="cannot be written"):
            assert seen(real) == 8
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert entries() == []
    assert list(Store().folder.glob(".*")) == []
    assert [seen(real), seen(real)] == [8, 0]


def test_files_that_a_killed_run_left_are_removed(real: Path) -> None:
    Store().folder.mkdir(parents=True)
    left = Store().folder / ".x.safetensors.abc"
    left.write_bytes(b"half")
    seen(real)
    assert not left.exists()


@pytest.mark.slow
def test_two_processes_on_the_same_set_agree_and_keep_one_entry_each_network(real: Path, home: Path) -> None:
    command = [sys.executable, "-m", "ganeval", "evaluate", real, real, "--extractor", "tiny", "--num-splits", "2", "--json", "--metrics"]
    both = [
        subprocess.Popen([*map(str, command), metrics], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for metrics in ("fid", "fid", "is")
    ]
    printed = [process.communicate(timeout=120) for process in both]
    assert [(process.returncode, errors) for process, (_, errors) in zip(both, printed, strict=True)] == [(0, "")] * 3
    assert printed[0] == printed[1]
    assert len(entries()) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = ganeval.evaluate(real, real, extractor="tiny", metrics=("fid", "is"), num_splits=2, cache=False)
    found = [json.loads(out)["scores"] for out, _ in (printed[0], printed[2])]
    assert found[0]["fd_tiny"]["value"] == pytest.approx(expected.scores["fd_tiny"].value, abs=1e-6)
    assert found[1]["is_tiny"]["value"] == pytest.approx(expected.scores["is_tiny"].value, rel=1e-6)


def test_the_command_line_shows_and_clears_what_is_kept(real: Path, home: Path) -> None:
    def run(*arguments: object) -> str:
        done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    assert json.loads(run("cache", "info", "--json")) == {"folder": str(home / "features"), "bytes": 0, "bound": 2**31, "networks": {}}
    run("fid", real, real, "--extractor", "tiny", "--no-cache")
    assert entries() == []
    first = run("fid", real, real, "--extractor", "tiny", "--json")
    assert run("fid", real, real, "--extractor", "tiny", "--json") == first
    about = json.loads(run("cache", "info", "--json"))
    assert about["networks"]["tiny"] == {"sets": 1, "images": 8, "num_bytes": entries()[0].stat().st_size}
    assert "tiny" in run("cache", "info")
    assert "removed" in run("cache", "clear")
    assert json.loads(run("cache", "info", "--json"))["bytes"] == 0


def test_progress_says_that_an_earlier_run_is_used(real: Path) -> None:
    shown: list[tuple[str, int]] = []

    @contextmanager
    def progress(what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        yield lambda amount: shown.append((what, amount))

    for _ in range(2):
        Evaluator(real, extractor=Counting(), progress=progress)
    assert shown == [("real", 8), ("real (kept from an earlier run)", 8)]


def test_an_origin_is_unchanged_until_a_file_is_touched_or_gone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")
    origin = Origin.of([("x", path)])
    assert origin.unchanged()
    os.utime(path, ns=(0, 0))
    assert not origin.unchanged()
    path.unlink()
    assert not Origin.of([("x", path)]).unchanged()


def test_the_index_survives_another_process_that_reads_it(real: Path) -> None:
    time.sleep(CLOCK_NS / 1e9 + 0.1)
    seen(real)
    with sqlite3.connect(Store().index.path) as reader:
        assert reader.execute("SELECT count(*) FROM files").fetchone() == (8,)
        assert seen(real) == 0
