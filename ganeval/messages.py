"""Objects from one process to another: their tensors byte by byte as they lie in memory, the rest of them pickled."""

from __future__ import annotations

import io
import pickle
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

AT_ONCE = 2**30  # bytes of one message: some transports count them in 32 bits


class _Pickler(pickle.Pickler):
    """Leaves tensors out and keeps them in a list: pickled, a large one would lie in memory three times."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.tensors: list[Tensor] = []

    def persistent_id(self, value: Any) -> int | None:
        if not isinstance(value, Tensor):
            return None
        self.tensors.append(value.contiguous())
        return len(self.tensors) - 1


class _Unpickler(pickle.Unpickler):
    """Puts them back. What it reads comes from a process of the same run, over torch.distributed, and from nowhere else."""

    def __init__(self, file: io.BytesIO, tensors: list[Tensor]) -> None:
        super().__init__(file)
        self._tensors = tensors

    def persistent_load(self, index: int) -> Tensor:
        return self._tensors[index]


def send(value: Any, *, to: int) -> None:
    """Send an object whose tensors are in main memory to the process of rank `to`, which must receive it."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(value)
    head = pickle.dumps(([(tensor.shape, tensor.dtype) for tensor in pickler.tensors], file.getvalue()))
    dist.send(torch.tensor(len(head)), to)
    for tensor in (torch.frombuffer(bytearray(head), dtype=torch.uint8), *pickler.tensors):
        for piece in _bytes(tensor):
            dist.send(piece, to)


def received(*, sender: int) -> Any:
    """What the process of rank `sender` sends to this one."""
    size = torch.tensor(0)
    dist.recv(size, sender)
    head = torch.empty(int(size), dtype=torch.uint8)
    _fill(head, sender)
    shapes, pickled = pickle.loads(head.numpy().tobytes())
    tensors = [torch.empty(shape, dtype=dtype) for shape, dtype in shapes]
    for tensor in tensors:
        _fill(tensor, sender)
    return _Unpickler(io.BytesIO(pickled), tensors).load()


def _fill(tensor: Tensor, sender: int) -> None:
    for piece in _bytes(tensor):
        dist.recv(piece, sender)


def _bytes(tensor: Tensor) -> tuple[Tensor, ...]:
    """The memory of a tensor in pieces; none of an empty one."""
    return tensor.view(-1).view(torch.uint8).split(AT_ONCE) if tensor.numel() else ()
