"""What several test files share: pictures on disk, stand-in weights, an extractor small enough to check by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from torch import Tensor

from ganeval.extractors.protocol import Activations
from pictures import DATA, as_tensor, pictures, save_all
from standin import save_standin

# Shared machines stall now and then; how long an example took says nothing about it.
settings.register_profile("ganeval", deadline=None)
settings.load_profile("ganeval")


os.environ["GANEVAL_CACHE_SIZE"] = "0"  # tests neither read nor fill the user's cache; those of the cache have one of their own
os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is asked of any host

if "PYTEST_XDIST_WORKER" in os.environ:  # one process a core: with threads of their own they would wait for each other
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


def pytest_report_header() -> str:
    return f"pictures: real ones from {DATA}" if DATA else "pictures: drawn ones (set GANEVAL_DATA for the real ones)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests run when asked for: by any -m expression that takes them in, or by name."""
    if config.option.markexpr or any("::" in argument for argument in config.args):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with `pytest -m 'slow or not slow'`"))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For nets so small that threads wait for each other longer than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class MeanColor:
    """Features are the mean of each channel, logits the same from 0 to 10."""

    name = "mean-color"
    dim = 3

    def __call__(self, images: Tensor) -> Activations:
        mean = images.double().mean(dim=(2, 3)).float()
        return Activations(mean, mean / 25.5)


@pytest.fixture
def mean_color() -> MeanColor:
    return MeanColor()


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stand-in Inception weights, as a file in the public format; one for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    file = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "standin.pth"
    with FileLock(f"{file}.lock"):
        return file if file.exists() else save_standin(file, as_tensor(pictures(32, (32, 32), skip=500)))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(real, fake): two folders of 24 pictures of 32×32."""
    root = tmp_path_factory.mktemp("pictures")
    return save_all(pictures(24, (32, 32)), root / "real"), save_all(pictures(24, (32, 32), skip=24), root / "fake")
