"""One way to train a model, in a process of its own: what it does to the memory of the process is its own too.

    python benchmarks/training_way.py ganeval|article|detach|eager PICTURES.npy --preset quick --batch-size 32 [--help]

Reads numbers of steps from standard input, a line each, goes on by so many, and answers with a line of JSON: seconds and losses.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from article_loop import losses_of_plain_loop, plain_nets
from ganeval.memory import keep_freed_memory
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.data import Split, Stored
from ganeval.training.gan import GAN
from ganeval.training.loader import Loader
from ganeval.training.loop import Precision, train
from ganeval.training.models import load_model
from ganeval_models.dcgan import DCGAN

Losses = list[tuple[float, ...]]  # after each step, or means of so many; in the order of their names


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be trained; the last three are for ganeval's loop only."""

    preset: str
    batch_size: int
    model: str = "dcgan"
    device: str = "cpu"
    precision: Precision = "float32"
    compiled: bool = False
    log_every: int = 1

    def made(self, side: int) -> GAN:
        """With weights of seed 0, for RGB pictures of `side` pixels."""
        torch.manual_seed(0)
        model = load_model(self.model)
        config: Any = replace(model.presets[self.preset].config, batch_size=self.batch_size)
        spec = DataSpec(task=model.task, image_size=side, channels=3, label_names=())
        return model(config, spec).to(self.device)


def loader_of(images: Tensor, model: GAN, device: str) -> Loader:
    """Of pictures, or of their two halves as two domains."""
    batch_size = model.config.batch_size
    if model.spec.task == "domains":
        source, target = (Stored(half) for half in images.chunk(2))
        return Loader(Split(images=target, source=source), model.spec, batch_size=batch_size, device=device)
    return Loader(Split(images=Stored(images)), model.spec, batch_size=batch_size, device=device)


def by_ganeval(task: Task, images: Tensor) -> Callable[[int], Losses]:
    """As `ganeval train` does it."""
    if task.device == "cpu":
        keep_freed_memory()
    model = task.made(images.shape[-1])
    loader = loader_of(images, model, task.device)
    torch.manual_seed(1)

    def steps(number: int) -> Losses:
        found: Losses = []
        train(
            model,
            loader,
            num_steps=number,
            log_every=task.log_every,
            on_losses=lambda step, losses: found.append(_in_order(losses)),
            precision=task.precision,
            compiled=task.compiled,
        )
        return found

    return steps


def by_eager_loop(task: Task, images: Tensor) -> Callable[[int], Losses]:
    """The model's own steps on batches that come from main memory, every loss read."""
    model = task.made(images.shape[-1])
    torch.manual_seed(1)

    def losses() -> Iterator[tuple[float, ...]]:
        for images_, labels, source in loader_of(images, model, "cpu"):
            batch = Batch(images_.to(task.device), labels, None if source is None else source.to(task.device))
            yield _in_order({name: loss.item() for name, loss in model.train_step(batch).items()})

    stream = losses()
    return lambda number: list(islice(stream, number))


def by_article(task: Task, images: Tensor, *, detach: bool) -> Callable[[int], Losses]:
    """DCGAN by the loop of article 002, with the batches that ganeval's loader makes."""
    model = task.made(images.shape[-1])
    assert isinstance(model, DCGAN)
    nets = plain_nets(model)
    torch.manual_seed(1)  # of z; after the nets, which draw weights before they are given some
    pixels, order = images.permute(0, 2, 3, 1).numpy(), Order(images, task.batch_size)
    losses = losses_of_plain_loop(nets, model.config, pixels, order, device=task.device, detach=detach)
    return lambda number: list(islice(losses, number))


def _in_order(losses: dict[str, float]) -> tuple[float, ...]:
    return tuple(losses[name] for name in sorted(losses))


class Order(Sampler[int]):
    """Numbers of pictures, in the order of `loader_of`."""

    def __init__(self, images: Tensor, batch_size: int) -> None:
        self._images, self._batch_size = images[:, :1, :1, :1], batch_size

    def __iter__(self) -> Iterator[int]:
        spec = DataSpec(task="classes", image_size=1, channels=1, label_names=())
        split = Split(images=Stored(self._images), labels=torch.arange(len(self._images)))
        for batch in Loader(split, spec, batch_size=self._batch_size):
            assert batch.labels is not None
            yield from batch.labels.tolist()


WAYS: dict[str, Callable[[Task, Tensor], Callable[[int], Losses]]] = {
    "ganeval": by_ganeval,
    "eager": by_eager_loop,
    "article": lambda task, images: by_article(task, images, detach=False),
    "detach": lambda task, images: by_article(task, images, detach=True),
}


@click.command()
@click.argument("way", type=click.Choice(list(WAYS)))
@click.argument("pictures", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", default="dcgan")
@click.option("--preset", required=True)
@click.option("--batch-size", type=int, required=True)
@click.option("--device", default="cpu")
@click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32")
@click.option("--compiled", is_flag=True)
@click.option("--log-every", default=1)
def main(way: str, pictures: Path, **task: Any) -> None:
    steps = WAYS[way](Task(**task), torch.from_numpy(np.load(pictures)))
    for line in sys.stdin:
        start = time.perf_counter()
        losses = steps(int(line))
        sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start, "losses": losses}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
