"""The seven models in sizes that train a step in milliseconds, and data for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from ganeval.training.batch import DataSpec, Task
from ganeval.training.data import Split, Stored, TrainingData
from ganeval.training.gan import GAN
from ganeval.training.models import load_model

SMALL: dict[str, tuple[int, dict[str, Any]]] = {  # image size, changes to the paper's configuration
    "gan": (8, {"z_dim": 8}),
    "dcgan": (16, {"z_dim": 8, "g_width": 4, "d_width": 4}),
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
    size, small = SMALL[name]
    config = replace(next(iter(model.presets.values())).config, **{"batch_size": 4, "num_steps": 12, **small, **changes})
    torch.manual_seed(0)
    return model(config, (data or small_data(model.task, size)).spec)
