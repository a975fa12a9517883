"""Parts: cut anywhere, worked through in any number of processes, and together the very whole."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from conftest import MeanColor
from ganeval import InputError, open_images
from ganeval.conventions import convention_named
from ganeval.extract import measure
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor
from ganeval.images import ImageSource, Seen
from ganeval.images.cut import bounds, divisible
from ganeval.images.seen import Diary, seen_of
from ganeval.measured import SAMPLED, Measured, Need, Rows, Vectors
from ganeval.parts import Part, _part
from launch import torchrun
from pictures import as_tensor, pictures, save_all

NUM, BATCH = 23, 4
EVERYTHING: set[Need] = {"stats", "sample", "logits", "spatial stats", "spatial sample", "classes"}


@given(num=st.integers(1, 500), count=st.integers(1, 20), batch_size=st.integers(1, 40))
def test_parts_tile_the_set_in_whole_batches_shared_evenly(num: int, count: int, batch_size: int) -> None:
    parts = [bounds(num, index, count, batch_size=batch_size) for index in range(count)]
    assert [position for part in parts for position in part] == list(range(num))
    assert all(part.start % batch_size == 0 for part in parts if part)
    batches = [-(-len(part) // batch_size) for part in parts]
    assert max(batches) - min(batches) <= 1


class Pictures(torch.utils.data.Dataset[tuple[Tensor, int]]):
    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], index % 2


def sources(folder: Path) -> Iterator[Any]:
    """The same pictures in everything that can be cut."""
    images = as_tensor(pictures(NUM, (32, 32)))
    save_all(pictures(NUM, (32, 32)), folder / "folder")
    files = sorted((folder / "folder").iterdir())
    with zipfile.ZipFile(folder / "all.zip", "w") as archive, tarfile.open(folder / "all.tar.gz", "w:gz") as tar:
        for file in files:
            archive.write(file, file.name)
            tar.add(file, file.name)
    np.save(folder / "all.npy", images.numpy())
    np.savez_compressed(folder / "all.npz", images.permute(0, 2, 3, 1).numpy(), np.arange(NUM))
    yield from (folder / name for name in ("folder", "all.zip", "all.tar.gz", "all.npy", "all.npz"))
    yield from (images, Pictures(images))


def passed(source: ImageSource, seen: Seen) -> list[Tensor]:
    return [image for batch in source.batches(seen, batch_size=BATCH) for image in batch]


@pytest.mark.parametrize("count", [1, 2, 5, 9])  # nine parts of six batches: three of them are empty
def test_the_parts_of_every_kind_of_source_are_its_images_in_order(count: int, tmp_path: Path) -> None:
    for given_as in sources(tmp_path):
        whole, seen = divisible(open_images(given_as)), Seen()
        expected, found, calls = passed(whole, seen), [], []
        for index in range(count):
            if own := bounds(NUM, index, count, batch_size=BATCH):
                part = whole.part(own.start, own.stop)
                assert part.num_images == len(own)
                diary = Diary(first=own.start)
                found += passed(part, diary)
                calls += diary.calls
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
        assert seen_of(calls, []).provenance() == seen.provenance()
        assert seen_of(calls, []).classes == seen.classes


def test_a_part_of_a_part_is_a_part(tmp_path: Path) -> None:
    for given_as in sources(tmp_path):
        whole = divisible(open_images(given_as))
        inner = divisible(whole.part(8, 20)).part(4, 8)
        assert [image.tolist() for image in passed(inner, Seen())] == [image.tolist() for image in passed(whole.part(12, 16), Seen())]


@pytest.mark.parametrize("endless", [lambda n: torch.zeros(n, 3, 8, 8, dtype=torch.uint8), iter([torch.zeros(2, 3, 8, 8)])])
def test_what_cannot_be_cut_is_refused(endless: Any) -> None:
    with pytest.raises(InputError, match="cannot be cut into parts; give a folder"):
        divisible(open_images(endless, num_images=4 if callable(endless) else None))


@given(num=st.integers(SAMPLED - 10, 3 * SAMPLED), cuts=st.lists(st.integers(0, 3 * SAMPLED), max_size=4), batch=st.integers(500, 5000))
def test_the_sample_does_not_depend_on_how_a_set_is_cut(num: int, cuts: list[int], batch: int) -> None:
    rows = torch.arange(num, dtype=torch.float32)[:, None]  # [num, 1], each row its position

    def kept(start: int, stop: int, batch: int) -> Vectors:
        made = Rows({"sample"}, 1, first=start)
        for piece in rows[start:stop].split(batch):
            made.add(piece)
        return made.vectors()

    edges = sorted({0, num, *(cut for cut in cuts if cut < num)})
    total, *others = (kept(start, stop, batch) for start, stop in pairwise(edges))
    for other in others:
        total = total + other
    sample = kept(0, num, 777).sample
    assert sample is not None
    assert total.sample is not None
    assert torch.equal(total.sample, sample)
    assert len(sample) == min(num, SAMPLED)


def in_parts(source: Any, extractor: FeatureExtractor, needs: set[Need], count: int, **options: Any) -> tuple[dict[str, Measured], Seen]:
    whole, total = divisible(open_images(source)), Part()
    options = {"needs": {extractor.name: needs}, "device": torch.device("cpu"), "batch_size": BATCH, **options}
    for index in range(count):
        if own := bounds(whole.num_images or 0, index, count, batch_size=BATCH):
            total = total + _part(whole.part(own.start, own.stop), {extractor.name: extractor}, first=own.start, **options)
    return total.whole(whole, skip_bad=options.get("skip_bad", False))


@pytest.mark.parametrize("needs", [EVERYTHING, {"features", "stats"}], ids=["sampled", "kept"])
def test_what_parts_leave_adds_up_to_what_one_pass_leaves(needs: set[Need], tmp_path: Path) -> None:
    tiny = load_extractor("tiny", convention=convention_named("ttur"), weights_file=None, device=torch.device("cpu"))
    (folder, *_) = sources(tmp_path)
    found, seen = in_parts(folder, tiny, needs, 3)
    expected, seen_in_one = measure(
        open_images(folder), {"tiny": tiny}, needs={"tiny": needs}, device=torch.device("cpu"), batch_size=BATCH
    )
    assert seen.provenance() == seen_in_one.provenance()
    ours, theirs = found["tiny"], expected["tiny"]
    for name in ("features", "sample", "keys", "logits"):  # the network saw the same batches
        a, b = getattr(ours, name), getattr(theirs, name)
        assert (a is None) is (b is None)
        assert a is None or torch.equal(a, b), name
    assert ours.stats is not None
    assert theirs.stats is not None
    torch.testing.assert_close(ours.stats.scatter, theirs.stats.scatter, rtol=1e-12, atol=1e-12)
    assert (ours.spatial is None) is (theirs.spatial is None)
    if ours.spatial is not None and theirs.spatial is not None:
        assert ours.spatial.sample is not None
        assert theirs.spatial.sample is not None
        assert torch.equal(ours.spatial.sample, theirs.spatial.sample)


def test_bad_pictures_of_all_parts_are_counted_together(tmp_path: Path, mean_color: MeanColor) -> None:
    folder = save_all(pictures(NUM, (32, 32)), tmp_path)
    for index in (0, 1, 2, 3, 20):  # of six parts the first is all bad
        (folder / f"{index:05d}.png").write_bytes(b"no picture")
    for count in (1, 2, 6):
        with pytest.raises(InputError, match=rf"(?s)5 of {NUM} images in .*00000.png.*00020.png"):
            in_parts(folder, mean_color, {"stats"}, count)
        measured, seen = in_parts(folder, mean_color, {"stats"}, count, skip_bad=True)
        stats = measured["mean-color"].stats
        assert stats is not None
        assert stats.count == seen.count == NUM - 5
        assert seen.provenance()["num_skipped"] == 5


def test_parts_of_different_sets_or_networks_are_not_put_together() -> None:
    a, b = torch.zeros(1, 3), torch.ones(1, 3)
    one, other = (Part(measured={name: Measured(logits=x)}, calls=[(b"", None, None, None, ())]) for name, x in (("x", a), ("y", b)))
    with pytest.raises(InputError, match="not all processes have x, y; put the weights on each machine"):
        one + other
    with pytest.raises(InputError, match="do not find the same images"):
        Part(listing="a") + Part(listing="b")
    assert (Part() + Part(listing="b")).listing == "b"


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(real, fake): 300 and 280 pictures, more than features, the fakes in two classes."""
    root = tmp_path_factory.mktemp("classes")
    real = save_all(pictures(300, (32, 32)), root / "real")
    for name, skip in (("a", 300), ("b", 440)):
        save_all(pictures(140, (32, 32), skip=skip), root / "fake" / name)
    return real, root / "fake"


def same(one: Any, other: Any, tolerance: float = 1e-9) -> bool:
    """Equal, numbers to 1e-9 of the largest beside them; standard errors, which take roots of small eigenvalues, to 1e-6."""
    if isinstance(one, dict):
        loose = {"error", "deviations"}
        return one.keys() == other.keys() and all(same(one[key], other[key], 1e-6 if key in loose else tolerance) for key in one)
    if isinstance(one, list) and all(isinstance(value, float) for value in one):
        return len(one) == len(other) and one == pytest.approx(other, abs=tolerance * max(map(abs, one), default=0))
    if isinstance(one, list):
        return len(one) == len(other) and all(same(*pair, tolerance) for pair in zip(one, other, strict=True))
    return bool(one == (pytest.approx(other, rel=tolerance, abs=1e-12) if isinstance(one, float) else other))


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_print_the_report_of_one(processes: int, classes: tuple[Path, Path]) -> None:
    metrics = "fid,is,kid,precision,recall,coverage,sfid,mifid,vendi,authpct,intra_is"
    command = ("-m", "ganeval", "evaluate", *classes, "--extractor", "tiny", "--metrics", metrics, "--subset-size", "20", "--json")
    alone, together = torchrun(*command, processes=1), torchrun(*command, processes=processes)
    assert together.returncode == 0, together.stderr
    assert together.stdout.count("\n") == 1
    assert same(json.loads(together.stdout), json.loads(alone.stdout))


@pytest.mark.slow
def test_pairs_and_all_conventions_come_out_as_of_one_process(tmp_path: Path, standin: Path) -> None:
    real = save_all(pictures(12, (32, 32)), tmp_path)
    for options in (
        ("--metrics", "fid,l1,ssim", "--extractor", "tiny", "--no-spread"),
        ("--conventions", "all", "--weights", standin, "--no-spread", "--num-splits", "2"),
    ):
        command = ("-m", "ganeval", "evaluate", real, real, *options, "--batch-size", "4", "--json")
        alone, together = torchrun(*command, processes=1), torchrun(*command)
        assert together.returncode == 0, together.stderr
        assert same(json.loads(together.stdout), json.loads(alone.stdout))


def test_stats_of_two_processes_are_those_of_one(classes: tuple[Path, Path], tmp_path: Path) -> None:
    from ganeval.evaluator import reference_of
    from ganeval.reference import load_reference

    done = torchrun("-m", "ganeval", "stats", "compute", classes[0], "-o", tmp_path / "real.npz", "--extractor", "tiny")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'real.npz'}: 300 images, 256 features\n"
    found, alone = load_reference(tmp_path / "real.npz"), reference_of(classes[0], extractor="tiny")
    assert found.made_with == alone.made_with
    torch.testing.assert_close(found.stats.covariance, alone.stats.covariance, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", ["a bad picture of the last part", "no such folder", "usage"])
def test_an_error_in_one_process_ends_all_with_one_sentence(mistake: str, tmp_path: Path) -> None:
    folder = save_all(pictures(40, (32, 32)), tmp_path / "real")
    (folder / "00039.png").write_bytes(b"no picture")
    arguments, sentence = {
        "a bad picture of the last part": ([folder, folder], "Error: 1 of 40 images in"),
        "no such folder": ([tmp_path / "nowhere", folder], "nowhere does not exist"),
        "usage": ([folder], "Error: Missing argument 'FAKE'"),
    }[mistake]
    done = torchrun("-m", "ganeval", "fid", *arguments, "--extractor", "tiny")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count("Error: ") - done.stderr.count("ChildFailedError: ") == 1
    assert sentence in done.stderr
    assert done.stderr.count("Traceback") == 1  # torchrun's own


WORKER = """
import torch, torch.distributed as dist
import ganeval
from conftest import MeanColor
from ganeval.errors import InputError
from ganeval.messages import received, send
from ganeval.processes import joined_processes
from ganeval.team import Team

cpu = torch.device("cpu")
with joined_processes(cpu) as place:
    # What is sent arrives as it was, whatever is in it.
    half = torch.arange(6).view(2, 3).to(torch.bfloat16)
    with torch.inference_mode():
        value = {"half": half, "empty": torch.empty(0, 5), "scalar": torch.tensor(3.5, dtype=torch.float64), "turned": half.T, "text": "é"}
        value["nested"] = [(torch.tensor([True, False]), None)]
    if place.rank:
        send(value, to=0)
    else:
        back = received(sender=1)
        assert back["text"] == "é" and torch.equal(back["half"], half) and torch.equal(back["turned"], half.T)
        assert back["empty"].shape == (0, 5) and back["scalar"] == 3.5 and back["nested"][0][0].tolist() == [True, False]

    # A library call within torch.distributed works alone, in whichever process makes it.
    images = torch.full((8, 3, 8, 8), 100, dtype=torch.uint8)
    images[0] += 1
    if place.rank:
        assert ganeval.evaluate(images, images, extractor=MeanColor()).num_fake == 8

    # An error of one process is raised in the first, whether others have come as far or not.
    for culprit in range(2):
        try:
            with Team(place) as here:
                if place.rank == culprit:
                    raise InputError(f"process {culprit}")
                here.folded(place.rank, int)
                raise AssertionError("nobody gets here")
            assert place.rank == 1
        except InputError as error:
            assert place.rank == 0 and str(error) == f"process {culprit}"

    # Parts are added in the order of the ranks; afterwards the first is alone, and may score more.
    with Team(place) as here:
        assert here.folded([place.rank], list) == ([0, 1] if place.rank == 0 else None)
        evaluator = ganeval.Evaluator(images, extractor=MeanColor(), team=here)
        first = evaluator(images)
        assert place.rank == 0 and first.num_fake == 8
        assert evaluator(images).scores == first.scores
        print("ended well")
"""


@pytest.mark.slow
def test_processes_exchange_what_they_have_and_agree_on_errors(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    done = torchrun(tmp_path / "worker.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ended well\n"
