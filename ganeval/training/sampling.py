"""Sampling: fakes out of a model in training, which afterwards is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganeval.training.gan import GAN
from ganeval.training.streams import random_state, set_random_state


def nets_of_fakes(model: GAN) -> nn.ModuleDict:
    """The nets that fakes are made by."""
    return nn.ModuleDict({name: getattr(model, name) for name in model.generators})


def averaged(model: GAN) -> AveragedModel | None:
    """The moving average of the nets that make fakes, weights and buffers; None where the configuration has none."""
    if not model.config.ema_decay:
        return None
    decay = model.config.ema_decay

    def average(averages: Any, values: Any, num_averaged: Any) -> None:
        # Shorter at first, or the average would be of the untrained nets for 1/(1 − decay) steps.
        warm = min(decay, (1 + int(num_averaged)) / (10 + int(num_averaged)))
        get_ema_multi_avg_fn(warm)(averages, values, num_averaged)

    return AveragedModel(nets_of_fakes(model), multi_avg_fn=average, use_buffers=True)


@contextmanager
def sampling(model: GAN, average: AveragedModel | None = None, *, seed: int = 0) -> Iterator[torch.Generator]:
    """Inside: the averaged nets where there are some, evaluation mode, no gradients, full precision; gives the stream for the noise.

    Afterwards the model has its own nets and modes again, and torch's global streams are where they were.
    """
    modes = {module: module.training for module in model.modules()}
    own = {name: getattr(model, name) for name in model.generators}
    before = random_state(model.device)
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.autocast(model.device.type, enabled=False))
        try:
            if average is not None:
                for name in model.generators:
                    setattr(model, name, average.module.get_submodule(name))
            model.eval()
            torch.manual_seed(seed)
            yield torch.Generator(model.device).manual_seed(seed)
        finally:
            set_random_state(before, model.device)
            for name, net in own.items():
                setattr(model, name, net)
            for module, training in modes.items():
                module.training = training
