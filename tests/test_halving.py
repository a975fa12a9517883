"""Where memory ends: a batch goes in halves, which is said once, and the score is the same."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import ganeval
from ganeval import Activations, InputError
from ganeval.cache.store import Store
from ganeval.errors import Notice
from ganeval.extractors.protocol import Identity
from ganeval.generators.drawn import DrawnImages, Making
from ganeval.halving import Halving
from ganeval.images import Seen
from pictures import as_tensor, pictures, save_all

ERRORS: dict[str, Callable[[], Exception]] = {
    "cpu": lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to …"),
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    "numpy": lambda: MemoryError("Unable to allocate 8.00 GiB"),
}


class Limited:
    """An extractor whose memory ends at a number of images; a matrix product, so that batches of other sizes may round otherwise."""

    name, dim = "limited", 16

    def __init__(self, most: int, kind: str = "cpu") -> None:
        self._most, self._kind = most, kind
        self._weights = torch.randn(3 * 32 * 32, 16, generator=torch.Generator().manual_seed(0))
        self.identity = Identity(weights_sha256="a", standard=True, preprocessing="none")
        self.ran: list[int] = []

    def __call__(self, images: Tensor) -> Activations:
        if len(images) > self._most:
            raise ERRORS[self._kind]()
        self.ran.append(len(images))
        return Activations(images.flatten(1).float() / 255 @ self._weights)


@given(number=st.integers(1, 70), most=st.integers(1, 40))
def test_parts_are_the_batch_in_order_and_none_is_larger_than_what_fits(number: int, most: int) -> None:
    def act(part: range) -> range:
        if len(part) > most:
            raise ERRORS["cpu"]()
        return part

    halving = Halving("the network")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        parts = [*halving(act, range(number)), *halving(act, range(number, 2 * number))]
    assert [position for part in parts for position in part] == list(range(2 * number))
    assert max(map(len, parts)) <= most
    assert halving.halved == (number > most)
    assert len(told) == halving.halved  # once, if at all
    if not halving.halved:
        assert len(parts) == 2


@pytest.mark.parametrize("kind", ERRORS)
def test_an_extractor_that_runs_out_of_memory_gives_the_same_score_and_says_so_once(kind: str) -> None:
    real, fake = as_tensor(pictures(64, (32, 32))), as_tensor(pictures(64, (32, 32), skip=64))
    expected = ganeval.evaluate(real, fake, extractor=Limited(32), batch_size=32).scores["fd_limited"]
    tight = Limited(5, kind)
    with pytest.warns(Notice, match="the extractor limited runs out of memory with 32 images at once, so it is given 4") as told:
        found = ganeval.evaluate(real, fake, extractor=tight, batch_size=32).scores["fd_limited"]
    assert len({str(one.message) for one in told}) == 1
    assert set(tight.ran) == {4}
    assert found.value == pytest.approx(expected.value, rel=1e-5)


def test_memory_that_is_too_small_for_one_image_is_an_error_with_the_remedy() -> None:
    images = as_tensor(pictures(8, (32, 32)))
    with pytest.raises(InputError, match="the extractor limited runs out of memory with a single image; free some memory"):
        ganeval.evaluate(images, images, extractor=Limited(0))


def test_another_error_is_no_want_of_memory() -> None:
    def act(part: range) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        Halving("the network")(act, range(4))


def test_features_that_depend_on_the_memory_of_a_machine_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GANEVAL_CACHE_SIZE", "1MB")
    real = save_all(pictures(8, (32, 32)), tmp_path / "real")
    with pytest.warns(Notice, match="runs out of memory"):
        ganeval.evaluate(real, real, extractor=Limited(3))
    assert Store().entries() == []
    ganeval.evaluate(real, real, extractor=Limited(32))
    assert len(Store().entries()) == 1


def test_a_generator_that_runs_out_of_memory_draws_the_same_pictures() -> None:
    def make(most: int) -> Any:
        def draw(positions: range) -> Tensor:
            if len(positions) > most:
                raise ERRORS["cuda"]()
            return torch.stack([torch.full((3, 8, 8), position, dtype=torch.uint8) for position in positions])

        return draw

    def drawn(most: int) -> Tensor:
        source = DrawnImages("g.pt", Making(kind="torchscript", make=make(most)), num_images=50, value_range=None, seed=0)
        return torch.cat(list(source.batches(Seen(), batch_size=16)))

    with pytest.warns(Notice, match=r"the generator g\.pt runs out of memory with 16 images at once"):
        found = drawn(3)
    assert torch.equal(found, drawn(16))


REAL = """
import resource, torch, ganeval
from ganeval import Activations

class Hungry:
    name, dim = "hungry", 3
    def __call__(self, images):
        torch.zeros(len(images), 40_000_000, dtype=torch.uint8)  # 40 MB an image
        return Activations(images.float().mean(dim=(2, 3)))

images = torch.randint(0, 255, (32, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
ganeval.evaluate(images[:4], images[:4], extractor=Hungry(), batch_size=1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000,) * 2)
print(ganeval.evaluate(images, images.flip(0), extractor=Hungry(), batch_size=32).scores["fd_hungry"].value)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit that only Linux keeps")
def test_memory_that_really_ends_halves_the_batch() -> None:
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(0, abs=1e-3)
    assert done.stderr.count("the extractor hungry runs out of memory with 32 images at once, so it is given 8") == 1
