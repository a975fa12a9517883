"""What is killed in the middle of its work: children of a process that has imported everything already, so that each costs milliseconds."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import filelock
import requests
import safetensors.torch
import torch
from torch import Tensor
from writers import WRITERS

import ganeval.extractors.tiny
from ganeval.cache.store import Store
from ganeval.download import download
from ganeval.errors import InputError
from ganeval.evaluator import evaluate
from ganeval.extractors.protocol import Activations, Identity
from ganeval.images import vision
from ganeval.training import session
from ganeval.training.datasets import pictures as training_pictures
from ganeval.training.models import load_model
from ganeval.training.overseer import Watch
from ganeval.training.run_folder import RunFolder
from ganeval.training.settings import Settings

HERE = Path(__file__).parent
IMPORTED = (filelock, requests, safetensors, ganeval.extractors.tiny, Store, vision, load_model("gan"))  # late elsewhere, so early here
torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])  # which imports a thousand modules, and so do TensorBoard's events
if find_spec("tensorboard") is not None:
    import torch.utils.tensorboard
CACHE_SIZE = "50kB"  # of some ten entries: old ones go meanwhile
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["victims"])


class MeanAndMore:
    """Features by hand, of a network that states its weights, so that what it makes is kept."""

    name, dim = "mean-and-more", 3

    def __init__(self, weights: str) -> None:
        self.identity = Identity(weights_sha256=weights, standard=True, preprocessing="none")

    def __call__(self, images: Tensor) -> Activations:
        mean = images.double().mean(dim=(2, 3)).float()
        return Activations(mean, mean / 25.5)


def write(folder: Path, seed: int, begun: Connection) -> None:
    """Every kind of file, over and over."""
    torch.set_num_threads(1)
    writers = random.Random(seed).sample(list(WRITERS.values()), len(WRITERS))
    begun.send(None)
    for version in range(1, 250):
        for one in writers:
            one.write(folder, version)


def keep(home: Path, folder: Path, begun: Connection) -> None:
    """What networks make of pictures, in the cache; each time by another network."""
    os.environ |= {"GANEVAL_HOME": str(home), "GANEVAL_CACHE_SIZE": CACHE_SIZE}
    torch.set_num_threads(1)
    begun.send(None)
    for number in range(1000):
        evaluate(folder, folder, extractor=MeanAndMore(f"{os.getpid()}-{number}"))


def fetch(url: str, sha256: str, folder: Path, begun: Connection) -> None:
    """The same file under many names."""
    begun.send(None)
    for number in range(1000):
        download([url], folder / f"{number}.bin", sha256=sha256)


class Begun(Watch):
    """Says when a step has been taken."""

    def __init__(self, begun: Connection) -> None:
        self._begun = begun

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        self._begun.send(None)


def train(settings: Settings, folder: Path, early: bool, begun: Connection) -> None:
    """A run from where it is; with `early` it has begun before its data are opened."""
    torch.set_num_threads(1)
    if early:
        begun.send(None)
    if (folder / "checkpoints" / "last.pt").exists():
        session.resume(folder, device="cpu", watch=Begun(begun))
    else:
        session.start(settings, folder, device="cpu", watch=Begun(begun))


def hold(folder: Path, begun: Connection) -> None:
    """A run folder."""
    with RunFolder(folder).held():
        begun.send(None)
        time.sleep(120)


def kill_a_worker() -> None:
    os.kill(min(child.pid or 0 for child in multiprocessing.active_children()), signal.SIGKILL)


class Meanwhile(Watch):
    """Does something once, in the middle of a run."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    def on_losses(self, step: int, num_steps: int, losses: Mapping[str, float]) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


def lose_a_loader_in_training(settings: Settings, folder: Path, begun: Connection) -> None:
    """Says how the run ended."""
    training_pictures.STORED_BYTES = 0
    begun.send(None)
    try:
        session.start(settings, folder, device="cpu", watch=Meanwhile(kill_a_worker))
    except InputError as error:
        begun.send(str(error))


class Deadly(torch.utils.data.Dataset[Tensor]):
    """Kills the process that asks for image 40."""

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> Tensor:
        if index == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return torch.zeros(3, 8, 8, dtype=torch.uint8)


def lose_a_loader_in_scoring(begun: Connection) -> None:
    """Says how the score ended."""
    begun.send(None)
    try:
        evaluate(
            torch.utils.data.DataLoader(Deadly(), batch_size=8, num_workers=2), torch.zeros(8, 3, 8, 8, dtype=torch.uint8), extractor="tiny"
        )
    except (InputError, RuntimeError) as error:  # torch's own is raised from a signal's handler, wherever the process is at that moment
        begun.send(str(error))


def said(work: Callable[..., None], *arguments: Any) -> str:
    """What the child says at the end."""
    here, there = CONTEXT.Pipe()
    with started(work, *arguments, pipe=(here, there)):
        assert here.poll(120), "the child hangs or ended without a word"
        return str(here.recv())


@contextmanager
def started(work: Callable[..., None], *arguments: Any, pipe: tuple[Connection, Connection] | None = None) -> Iterator[ForkServerProcess]:
    """A child that has begun; it is gone after the block."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])  # the server finds this module
    os.environ["OMP_NUM_THREADS"] = "1"
    here, there = pipe or CONTEXT.Pipe()
    child = CONTEXT.Process(target=work, args=(*arguments, there))
    child.start()
    try:
        assert here.poll(60), "the child did not begin"
        here.recv()
        yield child
    finally:
        child.kill()
        child.join(60)


def killed(work: Callable[..., None], *arguments: Any, rng: random.Random, within: float) -> bool:
    """Whether the child was still at work when it was killed -9, at a moment up to `within` seconds after it began."""
    with started(work, *arguments) as child:
        child.join(rng.uniform(0, within))
        return child.exitcode is None
