"""The seven models in sizes that train a step in milliseconds, and data for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ganeval.training.batch import Batch, DataSpec, Task
from ganeval.training.data import Split, Stored, TrainingData
from ganeval.training.gan import GAN
from ganeval.training.models import available, load_model
from ganeval.training.sampling import sampling

SMALL: dict[str, tuple[int, dict[str, Any]]] = {  # image size, changes to the paper's configuration
    "gan": (8, {"z_dim": 8}),
    "dcgan": (16, {"g_width": 4, "d_width": 4}),
    "cgan": (8, {"z_dim": 8}),
    "lsgan": (16, {"z_dim": 8, "g_width": 4, "d_width": 4}),
    "pix2pix": (32, {"g_width": 4, "d_width": 4, "d_layers": 1, "batch_size": 2}),
    "cyclegan": (16, {"g_width": 4, "d_width": 4, "d_layers": 1, "batch_size": 2, "residual_blocks": 1, "pool_size": 4}),
    "stargan": (16, {"g_width": 4, "d_width": 4, "residual_blocks": 1, "n_critic": 2}),
}


def small_data(task: Task, size: int, *, num: int = 40, num_test: int = 24, channels: int = 3, enlarge: float = 1.0) -> TrainingData:
    """Noise with a brightness that the label tells: something to learn and to score, of any size."""
    names = {"classes": ("dark", "middle", "bright"), "attributes": ("bright", "red")}.get(task, ())

    def split(count: int, side: int, seed: int) -> Split:
        rng = torch.Generator().manual_seed(seed)
        images = torch.randint(0, 200, (count, channels, side, side), generator=rng, dtype=torch.uint8)
        if task == "classes":
            labels = torch.arange(count) % 3
            images = images // 3 + (labels * 60)[:, None, None, None].to(torch.uint8)
            return Split(images=Stored(images), labels=labels)
        if task == "attributes":
            attributes = torch.stack([torch.arange(count) % 2, torch.arange(count) // 2 % 2], dim=1).float()
            images += (attributes[:, 0] * 50)[:, None, None, None].to(torch.uint8)
            return Split(images=Stored(images), labels=attributes)
        if task in ("pairs", "domains"):
            return Split(images=Stored(255 - images), source=Stored(images))
        return Split(images=Stored(images))

    spec = DataSpec(task=task, image_size=size, channels=channels, label_names=names)
    return TrainingData(name="noise", spec=spec, train=split(num, round(size * enlarge), 1), test=split(num_test, size, 2))


def small_model(name: str, data: TrainingData | None = None, **changes: Any) -> GAN:
    """Weights of seed 0."""
    model = load_model(name)
    size, _ = SMALL[name]
    torch.manual_seed(0)
    return model(small_config(name, **changes), (data or small_data(model.task, size)).spec)


def small_config(name: str, **changes: Any) -> Any:
    paper = next(iter(load_model(name).presets.values())).config
    return replace(paper, **{"batch_size": 4, "num_steps": 12, **SMALL[name][1], **changes})


def small(model_class: type[GAN], image_size: int = 32, channels: int = 3, **changes: Any) -> GAN:
    """For pictures of 32×32 unless told otherwise, with three labels where the task has some; weights of seed 0."""
    (name,) = (name for name in available() if load_model(name) is model_class)
    torch.manual_seed(0)
    return model_class(small_config(name, **changes), spec_for(model_class, image_size, channels))


def preset(model_class: type[GAN], name: str = "paper", *, image_size: int | None = None, num_labels: int = 10) -> GAN:
    """Whole nets."""
    chosen = model_class.presets[name]
    return model_class(chosen.config, spec_for(model_class, image_size or chosen.image_size, chosen.channels, num_labels))


def spec_for(model_class: type[GAN], image_size: int = 32, channels: int = 3, num_labels: int = 3) -> DataSpec:
    names = tuple(f"label-{index}" for index in range(num_labels)) if model_class.task in ("classes", "attributes") else ()
    return DataSpec(task=model_class.task, image_size=image_size, channels=channels, label_names=names)


def batch_for(model: GAN, num: int = 4, seed: int = 0) -> Batch:
    """Noise, with all that the model's task may ask of a batch."""
    rng = torch.Generator().manual_seed(seed)
    shape = (num, model.spec.channels, model.spec.image_size, model.spec.image_size)
    images, source = (torch.rand(shape, generator=rng) * 2 - 1 for _ in range(2))
    labels = None
    if model.spec.task == "classes":
        labels = torch.arange(num) % model.spec.num_labels
    if model.spec.task == "attributes":
        labels = torch.randint(2, (num, model.spec.num_labels), generator=rng).float()
    return Batch(images, labels, source)


def made(model: GAN, batch: Batch, seed: int = 0) -> Tensor:
    with sampling(model, seed=seed) as rng:
        return model.fakes(batch, rng)


def size_of(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
