"""Several processes under torchrun: who writes, and how they agree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from ganeval.errors import InputError


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
        if self.world_size == 1:
            return value
        told = torch.tensor(float(value), device=self.device)
        dist.broadcast(told, src=0)
        return bool(told.item())


@contextmanager
def joined_processes(device: torch.device) -> Iterator[Place]:
    """Join the other processes where torchrun started this one, with a GPU each on CUDA; alone otherwise."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield Place(device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        if device.index >= torch.cuda.device_count():
            raise InputError(f"torchrun started more processes than there are GPUs ({torch.cuda.device_count()}); lower --nproc-per-node")
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Place(device, dist.get_rank(), world_size)
    finally:
        dist.destroy_process_group()
