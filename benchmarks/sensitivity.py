"""How the distance of the `tiny` extractor answers to damage of known strength, on pictures it was not trained on.

    python benchmarks/sensitivity.py [DATA] [--num 5000] [--set cifar10]

DATA holds `<set>/train/<class>/*.png` and `<set>/test/<class>/*.png`; the set `shapes` is drawn. The reals are train pictures, the fakes
test pictures that were damaged; prints the distance at every strength, and whether it grows from each to the next. `docs/tiny.md` has the
output.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import click
import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from ganeval import FeatureStats, frechet_distance
from ganeval.evaluator import reference_of
from ganeval.training import shapes

SPLITS: tuple[Literal["train", "test"], ...] = ("train", "test")
Damage = Callable[[Tensor, Tensor, float], Tensor]  # (images, labels, strength) → damaged images


def _each(images: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    changed = [np.array(change(Image.fromarray(image.permute(1, 2, 0).numpy()))) for image in images]
    return torch.from_numpy(np.stack(changed)).permute(0, 3, 1, 2)


def blur(images: Tensor, labels: Tensor, radius: float) -> Tensor:
    """Gaussian blur; `radius` in pixels."""
    return _each(images, lambda picture: picture.filter(ImageFilter.GaussianBlur(radius)))


def noise(images: Tensor, labels: Tensor, sigma: float) -> Tensor:
    """Gaussian noise; `sigma` in gray levels."""
    rng = torch.Generator().manual_seed(0)
    return (images + sigma * torch.randn(images.shape, generator=rng)).round().clamp(0, 255).to(torch.uint8)


def jpeg(images: Tensor, labels: Tensor, damage: float) -> Tensor:
    """JPEG at quality 100 − `damage`."""

    def through(picture: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(100 - damage))
        return Image.open(buffer).convert("RGB")

    return _each(images, through)


def color_shift(images: Tensor, labels: Tensor, shift: float) -> Tensor:
    """Red up and blue down by `shift` gray levels."""
    shifts = torch.tensor([shift, 0.0, -shift])[:, None, None]
    return (images + shifts).round().clamp(0, 255).to(torch.uint8)


def dropped_classes(images: Tensor, labels: Tensor, number: float) -> Tensor:
    """Pictures of the first `number` classes are replaced by others, so that the count stays."""
    kept = images[labels >= number]
    return kept[torch.arange(len(images)) % len(kept)]


def near_duplicates(images: Tensor, labels: Tensor, factor: float) -> Tensor:
    """Only one in `factor` pictures is left, each repeated with faint noise: a generator that collapsed."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    kept = images[order[: max(1, int(len(images) / factor))]]
    return noise(kept[torch.arange(len(images)) % len(kept)], labels, 1.0)


# From what an eye just sees at 32×32 to what nobody overlooks.
LADDERS: Mapping[str, tuple[Damage, tuple[float, ...]]] = {
    "blur (radius)": (blur, (0.5, 0.75, 1.0, 1.5, 2.0)),
    "noise (sigma)": (noise, (10, 20, 40, 60, 80)),
    "JPEG (100 - quality)": (jpeg, (40, 60, 80, 90, 95)),
    "color shift (levels)": (color_shift, (20, 40, 60, 80, 100)),
    "dropped classes": (dropped_classes, (1, 3, 5, 7, 9)),
    "near-duplicates (factor)": (near_duplicates, (10, 30, 100, 300, 1000)),
}


def stats(images: Tensor) -> FeatureStats:
    return reference_of(images, extractor="tiny", batch_size=250).stats


def answers(real: Tensor, held_out: Tensor, labels: Tensor) -> tuple[float, dict[str, list[float]]]:
    """The distance of clean held-out pictures, and of damaged ones at each strength of each ladder."""
    reference = stats(real)
    clean = frechet_distance(reference, stats(held_out))
    found = {
        name: [frechet_distance(reference, stats(damage(held_out, labels, strength))) for strength in strengths]
        for name, (damage, strengths) in LADDERS.items()
    }
    return clean, found


def labelled(folder: Path, num: int) -> tuple[Tensor, Tensor]:
    """`num` pictures, evenly from all classes, and their labels."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    images, labels = [], []
    for label, path in enumerate(classes):
        for file in sorted(path.iterdir())[: num // len(classes)]:
            images.append(np.array(Image.open(file).convert("RGB")))
            labels.append(label)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels)


def drawn_shapes(split: Literal["train", "test"], num: int) -> tuple[Tensor, Tensor]:
    """The embedded data of `ganeval train`, and which shape each is."""
    factors = shapes.factors(range(num), split=split, task="classes")
    return shapes.drawn(factors, size=32), torch.from_numpy(factors.shape)


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--num", default=5000, show_default=True, help="Pictures on each side.")
@click.option("--set", "sets", multiple=True, default=("cifar10", "mnist", "fashion-mnist", "shapes"), show_default=True)
def main(data: Path | None, num: int, sets: tuple[str, ...]) -> None:
    if data is None and set(sets) != {"shapes"}:
        raise click.UsageError("only the set shapes needs no DATA")
    for name in sets:
        if data is None or name == "shapes":
            (real, _), (held_out, labels) = (drawn_shapes(split, num) for split in SPLITS)
        else:
            (real, _), (held_out, labels) = (labelled(data / name / split, num) for split in SPLITS)
        clean, found = answers(real, held_out, labels)
        click.echo(f"\n{name}: {num} train against {num} test pictures, clean: {clean:.4g}")
        for ladder, values in found.items():
            grows = all(a < b for a, b in zip([clean, *values], values, strict=False))
            steps = "  ".join(f"{strength:g}: {value:.4g}" for strength, value in zip(LADDERS[ladder][1], values, strict=True))
            click.echo(f"  {ladder:26} {steps}  {'grows' if grows else 'DOES NOT GROW'}, least / clean {min(values) / clean:.1f}")


if __name__ == "__main__":
    main()
