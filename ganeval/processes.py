"""Several processes under torchrun: who writes, and how they agree."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ganeval.errors import InputError

PATIENCE = timedelta(days=7)  # a part may take hours longer than another; that a process has died torchrun notices at once
# gloo's threads let go of what they sent when they get Python's lock, and torch 2.4 waits for these threads with that lock in its hands.
LAST_WORDS_S = 0.2
TOLD_BY_TORCHRUN = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Place:
    """This process among all."""

    device: torch.device
    rank: int = 0
    world_size: int = 1

    @property
    def is_first(self) -> bool:
        """The one that writes files and shows progress."""
        return self.rank == 0

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The first process goes through the block before the others: what it downloads, they find."""
        if self.world_size > 1 and not self.is_first:
            dist.barrier()
        yield
        if self.world_size > 1 and self.is_first:
            dist.barrier()

    def agreed(self, value: bool) -> bool:
        """What the first process says; all must ask."""
        return bool(self.told(int(value)))

    def told(self, number: int) -> int:
        """The number of the first process; all must ask."""
        if self.world_size == 1:
            return number
        told = torch.tensor(number, device=self.device)
        dist.broadcast(told, src=0)
        return int(told.item())


@contextmanager
def joined_processes(device: torch.device, *, timeout: timedelta | None = None) -> Iterator[Place]:
    """Join the other processes where torchrun started this one, with a GPU each on CUDA; alone otherwise.

    Args:
        timeout: how long a process waits for another; None is torch's.

    Raises:
        InputError: fewer GPUs than processes, or processes that something else than torchrun started; or another process died meanwhile.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield Place(device)
        return
    if missing := [name for name in TOLD_BY_TORCHRUN if name not in os.environ]:
        raise InputError(
            f"WORLD_SIZE is {world_size}, but {', '.join(missing)} is not set; start the processes with torchrun, or unset WORLD_SIZE"
        )
    device = own_device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timeout)
    try:
        yield Place(device, dist.get_rank(), world_size)
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or "gloo" in str(error)):  # NCCL and the store; gloo has no error of its own
            raise
        raise InputError(
            f"another of the {world_size} processes has ended or cannot be reached, and without it this one cannot go on; "
            "see what that one said, and start all of them again"
        ) from None
    finally:
        time.sleep(LAST_WORDS_S)
        dist.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """On CUDA, the GPU of this process among those of its machine.

    Raises:
        InputError: there are fewer GPUs than processes.
    """
    if device.type != "cuda":
        return device
    own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    if own.index >= torch.cuda.device_count():
        raise InputError(f"torchrun started more processes than there are GPUs ({torch.cuda.device_count()}); lower --nproc-per-node")
    return own


def added_over_processes(value: Any) -> Any:
    """The sum of `value` over all processes of torch.distributed, in the order of their ranks and the same in each; all must ask.

    A process that has nothing brings None; None is returned where all do. One that failed brings its exception, which all raise. One
    after another is told, so that memory does not grow with their number.
    """
    alone = not _joined()
    total = None
    for rank in range(1 if alone else dist.get_world_size()):
        told = [value if alone or rank == dist.get_rank() else None]
        if not alone:
            dist.broadcast_object_list(told, src=rank)
        if isinstance(told[0], Exception):
            raise told[0]
        total = told[0] if total is None else total if told[0] is None else total + told[0]
    return total


class First:
    """The first process of torch.distributed acts, and all hear what came of it. Alone, the only one acts."""

    def __init__(self) -> None:
        self._group: Any = None

    @property
    def is_here(self) -> bool:
        """Whether this is the first process; before torch.distributed is initialized torchrun's word counts."""
        return dist.get_rank() == 0 if _joined() else os.environ.get("RANK", "0") == "0"

    def acts(self, act: Callable[[], Outcome]) -> Outcome:
        """What `act` returns in the first process, in every process; all must ask.

        The others wait as long as it takes, without their GPUs: NCCL would give up after ten minutes.

        Raises:
            Exception: in the first process, what `act` raised.
            InputError: in the others, the same in words.
        """
        if not _joined() or dist.get_world_size() == 1:
            return act()
        self._group = self._group or dist.new_group(backend="gloo", timeout=PATIENCE)
        told: list[Any] = [None, None]  # what came of it, or in words what went wrong
        failure = None
        if self.is_here:
            try:
                told[0] = act()
            except Exception as error:
                failure, told[1] = error, f"the first process failed: {type(error).__name__}: {error}"
        dist.broadcast_object_list(told, src=0, group=self._group)
        if failure is not None:
            raise failure
        if told[1] is not None:
            raise InputError(told[1])
        outcome: Outcome = told[0]
        return outcome


def _joined() -> bool:
    return dist.is_available() and dist.is_initialized()
