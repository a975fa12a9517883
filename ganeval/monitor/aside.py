"""Aside: scoring in the middle of training that leaves nothing behind in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parallel import DistributedDataParallel

from ganeval.errors import InputError
from ganeval.training.streams import random_state, set_random_state


@contextmanager
def aside(device: torch.device, *, seed: int) -> Iterator[None]:
    """Inside: no gradients, no autocast, random numbers from `seed`, every net that is called in evaluation mode.

    Afterwards all of it, and the number of threads, is as it was.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        for kind in {"cpu", device.type}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        stack.enter_context(_streams_of(seed))
        stack.enter_context(_evaluating())
        yield


@contextmanager
def _streams_of(seed: int) -> Iterator[None]:
    """All global streams of random numbers begin at `seed`, so that two scores differ by the weights alone."""
    devices = [torch.device("cpu")]
    if torch.cuda.is_initialized():
        devices += [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append(torch.device("mps"))
    torchs = [(random_state(device), device) for device in devices]
    pythons, numpys = random.getstate(), np.random.get_state()
    try:
        random.seed(seed)
        np.random.seed(seed)
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():  # or the seed would wait for the day that somebody starts CUDA
            torch.cuda.manual_seed_all(seed)
        if torch.backends.mps.is_available():
            torch.mps.manual_seed(seed)
        yield
    finally:
        for state, device in torchs:
            set_random_state(state, device)
        random.setstate(pythons)
        np.random.set_state(numpys)


@contextmanager
def _evaluating() -> Iterator[None]:
    """Modules are found by being called, so that nobody has to name them, whatever wraps them."""
    turned_off: list[tuple[nn.Module, str]] = []

    def turn_off(module: nn.Module, switch: str) -> None:
        if getattr(module, switch):
            turned_off.append((module, switch))
            setattr(module, switch, False)

    def quiet(called: nn.Module, inputs: Any) -> None:
        for module in called.modules():
            turn_off(module, "training")
            if isinstance(module, DistributedDataParallel):
                # It would send its buffers to processes that do not listen; those of the first process are the ones that count.
                turn_off(module, "require_forward_param_sync")
            elif _is_sharded(module):
                raise InputError(
                    "a net sharded by FSDP cannot draw in one process; leave it out of the loop and score a saved checkpoint of it"
                )

    hook = register_module_forward_pre_hook(quiet)
    try:
        yield
    finally:
        hook.remove()
        for module, switch in turned_off:
            setattr(module, switch, True)


def _is_sharded(module: nn.Module) -> bool:
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return False
    from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel

    return isinstance(module, (FSDPModule, FullyShardedDataParallel))
