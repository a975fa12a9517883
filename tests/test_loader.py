"""Loader: every picture once an epoch, the same batch at the same place, crops and mirroring that pairs share."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ganeval
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.data import Split, Stored
from ganeval.training.loader import Crops, Loader, to_float

SPEC = DataSpec(task="images", image_size=4)


def numbered(count: int, size: int = 4) -> Stored:
    """Picture i has the gray level i everywhere."""
    return Stored(torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 3, size, size).contiguous())


class InFiles:
    """Pictures that are not in memory, so that worker processes load them."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored

    def __len__(self) -> int:
        return len(self.stored)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.stored[index]


def levels(batch: Batch) -> list[int]:
    return [int(level) for level in ganeval.to_uint8(batch.images)[:, 0, 0, 0]]


@given(count=st.integers(1, 40), batch_size=st.integers(1, 17), seed=st.integers(0, 2**31))
def test_each_epoch_has_each_picture_once_whatever_the_batch_size(count: int, batch_size: int, seed: int) -> None:
    loader = Loader(Split(images=numbered(count)), SPEC, batch_size=batch_size, seed=seed)
    stream = [level for batch in islice(loader, 3 * count // batch_size + 1) for level in levels(batch)]
    assert sorted(stream[:count]) == list(range(count))
    assert len(stream) < 2 * count or sorted(stream[count : 2 * count]) == list(range(count))


def test_epochs_differ_in_order_and_seeds_do_too() -> None:
    first = [levels(batch) for batch in islice(Loader(Split(images=numbered(30)), SPEC, batch_size=30), 2)]
    other = next(iter(Loader(Split(images=numbered(30)), SPEC, batch_size=30, seed=1)))
    assert first[0] != first[1]
    assert levels(other) != first[0]


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_loader_goes_on_where_another_stopped(in_memory: bool) -> None:
    images = numbered(10, size=6)
    split = Split(images=images if in_memory else InFiles(images), labels=torch.arange(10))

    def loader() -> Loader:
        return Loader(split, SPEC, batch_size=4, flip=True, num_workers=0)

    whole = list(islice(loader(), 6))
    first, second = loader(), loader()
    for _ in islice(first, 3):
        pass
    second.load_state_dict(first.state_dict())
    for expected, batch in zip(whole[3:], islice(second, 3), strict=True):
        assert torch.equal(expected.images, batch.images)
        assert expected.labels is not None
        assert batch.labels is not None
        assert torch.equal(expected.labels, batch.labels)


def test_workers_and_memory_give_the_same_batches_and_leave_the_global_stream_alone() -> None:
    images = numbered(10, size=6)
    before = torch.get_rng_state()
    stored = list(islice(Loader(Split(images=images), SPEC, batch_size=4, flip=True), 4))
    loaded = list(islice(Loader(Split(images=InFiles(images)), SPEC, batch_size=4, flip=True, num_workers=2), 4))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a.images, b.images) for a, b in zip(stored, loaded, strict=True))


def test_processes_share_a_batch_among_them() -> None:
    split = Split(images=numbered(24))
    whole = [levels(batch) for batch in islice(Loader(split, SPEC, batch_size=8), 3)]
    halves = [[levels(batch) for batch in islice(Loader(split, SPEC, batch_size=4, rank=rank, world_size=2), 3)] for rank in (0, 1)]
    assert [first + second for first, second in zip(*halves, strict=True)] == whole


def test_labels_and_paired_sources_stay_with_their_pictures_and_domains_do_not() -> None:
    images = numbered(20)
    split = Split(images=images, labels=torch.arange(20), source=images)
    for task in ("pairs", "domains"):
        batch = next(iter(Loader(split, DataSpec(task=task, image_size=4), batch_size=20)))
        assert batch.labels is not None
        assert batch.source is not None
        assert levels(batch) == batch.labels.tolist()
        assert torch.equal(batch.images, batch.source) == (task == "pairs")


def test_domains_of_different_sizes_each_go_through_all_their_pictures() -> None:
    split = Split(images=numbered(12), source=numbered(5))
    batches = list(islice(Loader(split, DataSpec(task="domains", image_size=4), batch_size=5), 12))
    sources = [levels(Batch(batch.source)) for batch in batches if batch.source is not None]
    assert all(sorted(source) == list(range(5)) for source in sources)
    assert sorted(level for batch in batches for level in levels(batch)) == sorted(list(range(12)) * 5)


def test_a_crop_is_a_part_of_the_picture_and_a_pair_is_cropped_and_mirrored_alike() -> None:
    images = torch.randint(0, 256, (50, 3, 9, 9), dtype=torch.uint8)
    crops = Crops(images, 5, True, torch.Generator().manual_seed(0))
    found = crops(images)
    windows = {(top, left, mirrored) for top in range(5) for left in range(5) for mirrored in (False, True)}
    seen = set()
    for image, crop in zip(images, found, strict=True):
        cut = {
            w: image[:, w[0] : w[0] + 5, w[1] : w[1] + 5].flip(2) if w[2] else image[:, w[0] : w[0] + 5, w[1] : w[1] + 5] for w in windows
        }
        matches = [window for window, part in cut.items() if torch.equal(part, crop)]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) > 20
    assert torch.equal(crops(255 - images), 255 - found)


def test_to_float_is_undone_by_to_uint8() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(ganeval.to_uint8(to_float(every)), every)
