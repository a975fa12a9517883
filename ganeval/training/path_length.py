"""PPL of a trained model, whose generator and latents are its own."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.extractors.lpips import Net, load_lpips
from ganeval.metrics.path_length import Walk
from ganeval.path_length import Steps, perceptual_path_length
from ganeval.progress import Progress, silent
from ganeval.report import Report
from ganeval.training.gan import GAN, FromNoise, Prior
from ganeval.training.sampling import sampling
from ganeval.training.trained import Trained

WALKS: dict[Prior, Walk] = {"normal": "slerp", "uniform": "lerp"}  # normal latents lie near a sphere, uniform ones fill a cube


def path_length_of(
    trained: Trained, steps: Steps, *, net: Net = "vgg", weights_file: Path | None = None, progress: Progress = silent
) -> Report:
    """Perceptual path length of the model in a run, of classes drawn by chance where it is told the class.

    Args:
        net, weights_file: as for `load_lpips`.

    Raises:
        InputError: a model that makes no fakes out of noise; or as `load_lpips` and `perceptual_path_length`.
    """
    model = out_of_noise(trained.model, trained.settings.model)
    distance = load_lpips(net, weights_file=weights_file, device=model.device, progress=progress)

    def latents(num: int, rng: torch.Generator) -> Tensor:
        return model.latents(num, rng).cpu()

    with sampling(model, trained.average):
        num_classes = model.spec.num_labels if model.spec.task == "classes" else 0
        return perceptual_path_length(model.pictures, latents, distance=distance, num_classes=num_classes, steps=steps, progress=progress)


def out_of_noise(model: GAN, name: str) -> FromNoise:
    """The same model, known to have latents.

    Raises:
        InputError: it has none, or does not offer them.
    """
    if isinstance(model, FromNoise):
        return model
    if model.spec.task in ("images", "classes"):
        raise InputError(f"{name} does not offer its latents, between which a path could go; derive its class from FromNoise")
    raise InputError(f"{name} makes its pictures out of pictures; a path length is between latents, which only models out of noise have")
