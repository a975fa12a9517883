"""Decoding ahead: in order, whatever is slow, and within its bound of memory, whatever is large."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from ganeval.images.ahead import AHEAD_BYTES, Share, ahead
from ganeval.images.decode import USUAL_BYTES_A_PIXEL
from ganeval.images.pillow import decoding


@pytest.fixture(autouse=True)
def many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)


class Ledger:
    """What items hold at once, but for the one that is asked for. It hears of a growth late and of a release early: it never overstates."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: dict[int, int] = {}
        self.asked_for = 0
        self.most = 0

    def note(self, position: int, size: int) -> None:
        with self.lock:
            self.held[position] = size
            # One position later than it knows of may be asked for by now.
            others = sum(held for one, held in self.held.items() if one > self.asked_for + 1)
            self.most = max(self.most, others)


def run(sizes: list[int], *, count: int) -> tuple[list[int], int]:
    """Positions in the order they came, and the most that others than the next one held."""
    ledger = Ledger()

    def make(position: int, share: Share) -> int:
        share.take(sizes[position])
        ledger.note(position, sizes[position])
        ledger.note(position, sizes[position] // 4)
        return sizes[position] // 4

    found = []
    for position, _ in ahead(make, range(len(sizes)), count=count, size=lambda result: result):
        found.append(position)
        with ledger.lock:
            ledger.asked_for = position + 1
            ledger.held.pop(position)
    return found, ledger.most


sizes_of_pictures = st.lists(st.sampled_from([1, 3_000, AHEAD_BYTES // 8, AHEAD_BYTES // 2, AHEAD_BYTES, 3 * AHEAD_BYTES]), max_size=40)


@given(sizes=sizes_of_pictures, count=st.integers(1, 64))
def test_any_sizes_come_in_order_and_those_ahead_stay_within_the_bound(sizes: list[int], count: int) -> None:
    found, most = run(sizes, count=count)
    assert found == list(range(len(sizes)))
    assert most <= AHEAD_BYTES


def test_large_pictures_behind_small_ones_wait() -> None:
    _, most = run([1] * 64 + [AHEAD_BYTES // 3] * 64, count=64)
    assert 0 < most <= AHEAD_BYTES


def test_small_pictures_are_made_ahead_while_nobody_asks() -> None:
    made = threading.Semaphore(0)

    def make(item: int, share: Share) -> int:
        share.take(1000)
        made.release()
        return item

    results = ahead(make, range(100), count=64, size=lambda result: 1000)
    next(results)
    for _ in range(64):
        assert made.acquire(timeout=30)
    results.close()


def test_an_abandoned_pass_lets_go_of_those_who_wait() -> None:
    def make(item: int, share: Share) -> int:
        share.take(AHEAD_BYTES)
        return item

    before = threading.active_count()
    results = ahead(make, range(100), count=64, size=lambda result: AHEAD_BYTES)
    assert next(results) == (0, 0)
    results.close()
    assert threading.active_count() == before


def test_what_a_thread_raises_is_raised_where_its_item_is_asked_for() -> None:
    def make(item: int, share: Share) -> int:
        share.take(AHEAD_BYTES // 2)
        if item == 3:
            raise KeyError(item)
        return item

    found = []
    with pytest.raises(KeyError):
        found += [item for item, _ in ahead(make, range(10), count=4, size=lambda result: 0)]
    assert not found


def test_slow_first_items_hold_nobody_up_for_ever() -> None:
    def make(item: int, share: Share) -> int:
        if item % 7 == 0:
            time.sleep(0.02)
        share.take(AHEAD_BYTES // 3)
        return item

    assert [item for item, _ in ahead(make, range(40), count=16, size=lambda result: AHEAD_BYTES // 5)] == list(range(40))


@pytest.fixture
def lax_pillow() -> Iterator[None]:
    """As a training script may have left it."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = True, None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


def test_passes_that_overlap_leave_pillow_as_it_was(lax_pillow: None) -> None:
    filters = list(warnings.filters)
    one, other = decoding(), decoding()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    other.__exit__(None, None, None)
    assert ImageFile.LOAD_TRUNCATED_IMAGES
    assert Image.MAX_IMAGE_PIXELS is None
    assert warnings.filters == filters
    with suppress(ValueError), decoding():
        raise ValueError
    assert ImageFile.LOAD_TRUNCATED_IMAGES


SMALL_THEN_LARGE = """
import io, os, resource, sys
os.cpu_count = lambda: 16
from PIL import Image
from ganeval.images.encoded import EncodedImages, Entry
from ganeval.images.seen import Seen
from ganeval.memory import keep_freed_memory
if {kept}:
    keep_freed_memory()
large = open(sys.argv[1], "rb").read()
file = io.BytesIO()
Image.new("RGB", (8, 8)).save(file, "PNG")
small = file.getvalue()
entries = [Entry(f"{{i}}.png", len(small), lambda: small) for i in range(24)]
entries += [Entry(f"{{i}}.png", len(large), lambda: large) for i in range(24, 38)]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
assert sum(len(batch) for batch in EncodedImages("large", "zip", entries, None).batches(Seen(), batch_size=32)) == 38
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="where ru_maxrss is in KiB")
@pytest.mark.parametrize("kept", [False, True])
def test_pictures_of_sixteen_megapixels_behind_small_ones_stay_within_the_stated_memory(kept: bool, tmp_path: Path) -> None:
    side = 4000
    Image.new("RGB", (side, side), (9, 8, 7)).save(tmp_path / "large.png")
    program = SMALL_THEN_LARGE.format(kept=kept)
    found = subprocess.run([sys.executable, "-c", program, str(tmp_path / "large.png")], capture_output=True, text=True, check=True)
    one = side * side * (USUAL_BYTES_A_PIXEL + 3)  # the next, and the one that was handed on
    assert int(found.stdout) < (AHEAD_BYTES + one) * 1.15  # what the allocator cannot use of what was freed
