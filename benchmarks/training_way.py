"""One way to train DCGAN, in a process of its own: what it does to the memory of the process is its own too.

    python benchmarks/training_way.py ganeval|article|detach PRESET BATCH_SIZE PICTURES.npy

Reads numbers of steps from standard input, a line each, goes on by so many, and answers with a line of JSON: seconds and losses.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler

from article_loop import losses_of_plain_loop, plain_nets
from ganeval.machine import keep_freed_memory
from ganeval.training.batch import DataSpec
from ganeval.training.data import Split, Stored
from ganeval.training.loader import Loader
from ganeval.training.loop import train
from ganeval_models.dcgan import DCGAN

Losses = list[tuple[float, float]]  # of discriminator and generator, after each step


def model_of(preset: str, batch_size: int) -> DCGAN:
    """With weights of seed 0, for pictures of 32×32."""
    torch.manual_seed(0)
    config: Any = replace(DCGAN.presets[preset].config, batch_size=batch_size)
    return DCGAN(config, DataSpec(task="images", image_size=32, channels=3, label_names=()))


def loader_of(images: torch.Tensor, batch_size: int) -> Loader:
    """Of pictures whose labels are their numbers."""
    spec = DataSpec(task="classes", image_size=32, channels=3, label_names=())
    return Loader(Split(images=Stored(images), labels=torch.arange(len(images))), spec, batch_size=batch_size)


def by_ganeval(preset: str, batch_size: int, images: torch.Tensor) -> Callable[[int], Losses]:
    """As `ganeval train dcgan` does it, every loss looked at."""
    keep_freed_memory()
    model, loader = model_of(preset, batch_size), loader_of(images, batch_size)
    torch.manual_seed(1)

    def steps(number: int) -> Losses:
        found: Losses = []
        train(
            model,
            loader,
            num_steps=number,
            log_every=1,
            on_losses=lambda step, losses: found.append((losses["discriminator"], losses["generator"])),
        )
        return found

    return steps


def by_article(preset: str, batch_size: int, images: torch.Tensor, *, detach: bool) -> Callable[[int], Losses]:
    """With the batches that ganeval's loader makes."""
    model, order = model_of(preset, batch_size), Order(images, batch_size)
    nets = plain_nets(model)
    torch.manual_seed(1)  # of z; after the nets, which draw weights before they are given some
    losses = losses_of_plain_loop(nets, model.config, images.permute(0, 2, 3, 1).numpy(), order, detach=detach)
    return lambda number: list(islice(losses, number))


class Order(Sampler[int]):
    """Numbers of pictures, in the order of `loader_of`."""

    def __init__(self, images: torch.Tensor, batch_size: int) -> None:
        self._images, self._batch_size = images[:, :1, :1, :1], batch_size

    def __iter__(self) -> Iterator[int]:
        spec = DataSpec(task="classes", image_size=1, channels=1, label_names=())
        split = Split(images=Stored(self._images), labels=torch.arange(len(self._images)))
        for batch in Loader(split, spec, batch_size=self._batch_size):
            assert batch.labels is not None
            yield from batch.labels.tolist()


WAYS: dict[str, Callable[[str, int, torch.Tensor], Callable[[int], Losses]]] = {
    "ganeval": by_ganeval,
    "article": lambda preset, batch_size, images: by_article(preset, batch_size, images, detach=False),
    "detach": lambda preset, batch_size, images: by_article(preset, batch_size, images, detach=True),
}


def main() -> None:
    way, preset, batch_size, pictures = sys.argv[1:]
    steps = WAYS[way](preset, int(batch_size), torch.from_numpy(np.load(pictures)))
    for line in sys.stdin:
        start = time.perf_counter()
        losses = steps(int(line))
        sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start, "losses": losses}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
