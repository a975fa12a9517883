"""What each task is scored on: sets of fakes, and the reals they should look like."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganeval.images import to_uint8
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.data import Split, stacked
from ganeval.training.gan import GAN
from ganeval.training.loader import to_float

SAMPLE_BATCH = 64  # fakes made at once
FEWEST_FAKES = 1000  # out of noise, which costs nothing: fewer would make a worse score only because they are few
EXCLUSIVE = "_Hair"  # CelebA's hair colors: a picture has one of them, so asking for one takes the others away


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Held-out pictures of one comparison, on the CPU: what fakes are made from and for."""

    name: str  # of the comparison; "" where there is only one
    real: Tensor  # uint8 [num_real, channels, side, side]: what fakes should look like
    real_labels: Tensor | None = None  # [num_real, …]
    number: int  # of fakes
    labels: Tensor | None = None  # [number, …]
    source: Tensor | None = None  # uint8 [number, channels, side, side]
    source_labels: Tensor | None = None  # [number, …], what the sources have before they are changed
    target: Tensor | None = None  # uint8, of the same length: the one right answer, where there is one
    backward: bool = False  # the way from images to the source domain

    def fakes(self, model: GAN, rng: torch.Generator) -> Tensor:
        """uint8 [number, channels, side, side], on the CPU."""
        return made(model, rng, self.number, labels=self.labels, source=self.source, backward=self.backward)

    def back(self, model: GAN, rng: torch.Generator, fakes: Tensor) -> Tensor:
        """The fakes, translated to where they came from: uint8."""
        return made(model, rng, self.number, labels=self.source_labels, source=fakes, backward=not self.backward)


def made(
    model: GAN, rng: torch.Generator, number: int, *, labels: Tensor | None = None, source: Tensor | None = None, backward: bool = False
) -> Tensor:
    """`number` fakes as uint8 on the CPU, a few at a time; `labels` and `source` (uint8) are of that length."""
    parts = []
    for start in range(0, number, SAMPLE_BATCH):
        chosen = slice(start, min(start + SAMPLE_BATCH, number))
        some_labels, some_source = (None if values is None else values[chosen] for values in (labels, source))
        parts.append(to_uint8(fakes_of(model, rng, chosen.stop - start, some_labels, some_source, backward)).cpu())
    return torch.cat(parts)


def fakes_of(
    model: GAN, rng: torch.Generator, number: int, labels: Tensor | None = None, source: Tensor | None = None, backward: bool = False
) -> Tensor:
    """`number` fakes, float in [-1, 1] on the model's device, from labels and uint8 sources on any device."""
    spec, device = model.spec, model.device
    pictures = None if source is None else to_float(source.to(device))
    # A model looks only at what its task gives; elsewhere the pictures say no more than how many.
    placeholder = torch.zeros(1, device=device).expand(number, spec.channels, spec.image_size, spec.image_size)
    given = None if labels is None else labels.to(device)
    if backward and model.spec.task == "domains":
        assert pictures is not None
        return model.fake_sources(Batch(pictures, given), rng)
    return model.fakes(Batch(placeholder, given, pictures), rng)


def wanted(split: Split, spec: DataSpec, num_fakes: int | None) -> list[Wanted]:
    """The comparisons of a task.

    `num_fakes` is of each; by default as many as there are sources, and out of noise as many as reals, but FEWEST_FAKES at least.
    """
    images = stacked(split.images)
    source = None if split.source is None else stacked(split.source)
    if spec.task == "pairs":
        assert source is not None
        number = min(num_fakes or len(source), len(source))
        return [Wanted(name="", real=images, number=number, source=source[:number], target=images[:number])]
    if spec.task == "domains":
        assert source is not None
        first, second = spec.domains
        forth, back = min(num_fakes or len(source), len(source)), min(num_fakes or len(images), len(images))
        return [
            Wanted(name=f"{first}-to-{second}", real=images, number=forth, source=source[:forth]),
            Wanted(name=f"{second}-to-{first}", real=source, number=back, source=images[:back], backward=True),
        ]
    number = num_fakes or max(len(images), FEWEST_FAKES)
    if spec.task == "attributes":
        assert split.labels is not None
        each = [_changed(images, split.labels, spec.label_names, index, num_fakes) for index in range(spec.num_labels)]
        return [change for change in each if change is not None]
    labels = None if split.labels is None or spec.task != "classes" else split.labels[torch.arange(number) % len(images)]
    return [Wanted(name="", real=images, real_labels=split.labels, number=number, labels=labels)]


def _changed(images: Tensor, labels: Tensor, names: tuple[str, ...], index: int, num_fakes: int | None) -> Wanted | None:
    """Pictures without an attribute, which shall get it; None where hardly any picture has it, or lacks it."""
    has = labels[:, index] > 0.5
    if has.sum() < 2 or (~has).sum() < 2:
        return None
    source, asked = images[~has][:num_fakes], given_attribute(labels[~has][:num_fakes], names, index)
    return Wanted(
        name=names[index], real=images[has], number=len(source), source=source, source_labels=labels[~has][:num_fakes], labels=asked
    )


def given_attribute(labels: Tensor, names: tuple[str, ...], index: int, value: float = 1.0) -> Tensor:
    """The same labels with one attribute set; of hair colors the others are taken away."""
    changed = labels.clone()
    if value and names[index].endswith(EXCLUSIVE):
        changed[:, [other for other, name in enumerate(names) if name.endswith(EXCLUSIVE)]] = 0.0
    changed[:, index] = value
    return changed
