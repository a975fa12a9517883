"""Aside: scoring in the middle of training that leaves nothing behind in it."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ganeval.errors import InputError
from ganeval.training.streams import random_state, set_random_state


@contextmanager
def aside(device: torch.device, *, seed: int) -> Iterator[None]:
    """Inside: no gradients, no autocast, random numbers from `seed`, every net in evaluation mode.

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
    """All nets of this process in evaluation mode, none of them waiting for other processes.

    Nobody has to name those that draw: they are found among all objects. (Hooks would find them too, but each would compile a compiled
    net anew.)
    """
    with ExitStack() as stack:
        for module in [one for one in gc.get_objects() if issubclass(type(one), nn.Module)]:
            _turn_off(stack, module, "training")
            if isinstance(module, DistributedDataParallel):
                # It would send its buffers to processes that do not listen; those of the first process are the ones that count.
                _turn_off(stack, module, "require_forward_param_sync")
            elif _is_sharded(module):
                stack.enter_context(module.register_forward_pre_hook(_refused, prepend=True))
        yield


def _turn_off(stack: ExitStack, module: nn.Module, switch: str) -> None:
    if getattr(module, switch, False):
        stack.callback(setattr, module, switch, True)
        setattr(module, switch, False)


def _is_sharded(module: nn.Module) -> bool:
    return any(kind.__name__ in ("FullyShardedDataParallel", "FSDPModule") for kind in type(module).__mro__)


def _refused(module: nn.Module, inputs: Any) -> None:
    raise InputError("a net sharded by FSDP draws in all processes at once, but only one scores; draw from a copy that is whole")
