"""LossLog: losses as they come, read from the device now and then, and stopped at the first that is no number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.training.gan import GAN

REMEDY = "the last checkpoint is from before. Try a smaller --lr, another --seed, or float32"


class Diverged(InputError):
    """A loss or a weight became NaN or infinite."""

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


class LossLog:
    """Keeps losses on the device until they are looked at."""

    def __init__(self, model: GAN, on_losses: Callable[[int, dict[str, float]], None] | None) -> None:
        self._model = model
        self._on_losses = on_losses
        self._kept: list[tuple[int, str, Tensor]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Scalars by name; steps may differ in which they have."""
        self._kept += [(step, name, loss.detach().float()) for name, loss in losses.items()]

    def look(self) -> None:
        """Hand the means since the last look on.

        Raises:
            Diverged: one of them is NaN or infinite.
        """
        if not self._kept:
            return
        values = torch.stack([loss for _, _, loss in self._kept]).tolist()
        sums: dict[str, list[float]] = {}
        for (step, name, _), value in zip(self._kept, values, strict=True):
            if not abs(value) < float("inf"):  # NaN too
                raise Diverged(
                    f"the loss {name!r} became {value} at step {step:,}{self._damage()}; {REMEDY}",
                    step,
                )
            sums.setdefault(name, []).append(value)
        last = self._kept[-1][0]
        self._kept = []
        if self._on_losses is not None:
            self._on_losses(last, {name: sum(found) / len(found) for name, found in sums.items()})

    def check_nets(self, step: int) -> None:
        """Raise Diverged where a weight or buffer is not finite: a loss shows it only one step later."""
        tensors = [tensor for tensor in chain(self._model.parameters(), self._model.buffers()) if tensor.is_floating_point()]
        norms = torch._foreach_norm(tensors, float("inf"))
        if not torch.stack([norm.float() for norm in norms]).isfinite().all():
            raise Diverged(f"at step {step:,}{self._damage()}; {REMEDY}", step)

    def _damage(self) -> str:
        """The first tensor of the model that is not finite, for the message."""
        for name, tensor in chain(self._model.named_parameters(), self._model.named_buffers()):
            if tensor.is_floating_point() and not tensor.isfinite().all():
                return f", {name} is no longer finite"
        return ""
