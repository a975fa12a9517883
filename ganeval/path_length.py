"""PPL of a generator: latents → steps along paths → pictures → LPIPS between them → the length of the path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from ganeval.errors import InputError, InputTypeError
from ganeval.extractors.lpips import full_precision
from ganeval.extractors.protocol import Identity
from ganeval.machine import versions
from ganeval.metrics.path_length import EPSILON, PATHS, Walk, path_length
from ganeval.progress import Progress, silent
from ganeval.report import Report
from ganeval.resize import area_or_bilinear
from ganeval.seeds import check_seed


class Distance(Protocol):
    """How far apart two pictures are; LPIPS, for the number that is called PPL."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> Identity: ...

    @property
    def device(self) -> torch.device: ...

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """float [num] of pictures [num, 3, height, width] in [-1, 1], paired by position."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Which steps are taken. Length, place and side are torch-fidelity's; its paths are lines, and its pictures rounded, unless asked."""

    path: Walk = "slerp"
    num_pairs: int = 50_000
    epsilon: float = EPSILON
    sampling: Literal["end", "full"] = "end"  # all at the start of their paths, or anywhere along (Karras et al. 2019, eq. 2)
    side: int | None = 64  # pictures are brought to this many pixels before they are compared; None leaves them
    batch_size: int = 16  # steps, of two pictures each
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.path not in PATHS:
            raise InputError(f"a path is one of {', '.join(PATHS)}, got {self.path!r}")
        if self.num_pairs < 2 or self.batch_size < 1:
            raise InputError(f"a path length needs 2 pairs or more, in batches of 1 or more; got {self.num_pairs} and {self.batch_size}")
        if not 0 < self.epsilon < 1:
            raise InputError(f"epsilon is a share of the path, between 0 and 1, got {self.epsilon:g}")


def perceptual_path_length(
    generator: Callable[..., Tensor],
    latents: Callable[[int, torch.Generator], Tensor],
    *,
    distance: Distance,
    num_classes: int = 0,
    steps: Steps | None = None,
    progress: Progress = silent,
) -> Report:
    """Perceptual path length; the report's one score has its standard error.

    Args:
        generator: z [batch, z_dim] → pictures, float [batch, 1 or 3, height, width] in [-1, 1], and always the same for the same z;
            with `num_classes` it is given labels, int64 [batch], too. A module is put in evaluation mode meanwhile.
        latents: (number, rng on the CPU) → z [number, z_dim].
        distance: Distance, on the device where the generator is.
        num_classes: labels are drawn by chance, one for both ends of a step.

    Raises:
        InputTypeError: pictures that are rounded to uint8, or of another shape.
        InputError: pictures too small for the network, or NaN.
    """
    steps = steps or Steps()
    distances = torch.cat(list(_distances(generator, latents, distance, num_classes, steps, progress)))
    if not distances.isfinite().all():
        raise InputError("the generator gave NaN or infinite pictures; check its weights")
    name = "ppl" if distance.name == "lpips-vgg" else f"ppl_{distance.name.removeprefix('lpips-')}"
    standard = distance.identity.standard
    mark = "" if standard else " of non-standard weights"
    note = f"these are not the standard weights of {distance.name}: the scores compare only with others of the same file"
    return Report(
        scores={name: path_length(distances, epsilon=steps.epsilon)},
        titles={name: f"perceptual path length by {distance.name}{mark}, lower is smoother"},
        num_real=None,
        num_fake=2 * steps.num_pairs,
        extractor=distance.name,
        convention=f"{steps.num_pairs:,} steps of {steps.epsilon:g} {_where(steps)}, 1 to 99 %, over the square of the step",
        provenance={**_provenance(distance, steps), "scores": {name: {"metric": "ppl", "extractor": distance.name}}},
        notes=() if standard else (note,),
    )


def _where(steps: Steps) -> str:
    line = "an arc" if steps.path == "slerp" else "a line"
    return f"at the start of {line}" if steps.sampling == "end" else f"anywhere along {line}"


def _provenance(distance: Distance, steps: Steps) -> dict[str, Any]:
    resize = f"area {steps.side}x{steps.side} (bilinear where smaller)" if steps.side else "as they are"
    preprocessing = f"{resize}, {distance.identity.preprocessing}"
    return {
        "weights_sha256": distance.identity.weights_sha256,
        "weights_standard": distance.identity.standard,
        "preprocessing": preprocessing,
        "networks": {
            distance.name: {
                "weights_sha256": distance.identity.weights_sha256,
                "weights_standard": distance.identity.standard,
                "preprocessing": preprocessing,
            }
        },
        "dtype": "float32",
        "device": distance.device.type,
        "path": steps.path,
        "num_pairs": steps.num_pairs,
        "epsilon": steps.epsilon,
        "sampling": steps.sampling,
        "seed": steps.seed,
        "real": None,
        "held_out": None,
        "fake": {"count": 2 * steps.num_pairs},
        "versions": versions(),
    }


def _distances(
    generator: Callable[..., Tensor],
    latents: Callable[[int, torch.Generator], Tensor],
    distance: Distance,
    num_classes: int,
    steps: Steps,
    progress: Progress,
) -> Iterator[Tensor]:
    """Of all steps, a batch at a time, on the CPU. What is drawn does not depend on the batch size."""
    rng = torch.Generator().manual_seed(steps.seed)
    start, end = (latents(steps.num_pairs, rng) for _ in range(2))
    along = torch.zeros(steps.num_pairs, 1, dtype=torch.float64)
    if steps.sampling == "full":
        along = torch.rand(steps.num_pairs, 1, dtype=torch.float64, generator=rng)
    labels = torch.randint(num_classes, (steps.num_pairs,), generator=rng) if num_classes else None
    walk = PATHS[steps.path]
    with progress("steps", steps.num_pairs, "images") as advance, _evaluating(generator), full_precision(distance.device):
        for chosen in torch.arange(steps.num_pairs).split(steps.batch_size):
            ends = [walk(start[chosen], end[chosen], along[chosen] + step) for step in (0.0, steps.epsilon)]
            z = torch.cat(ends).to(distance.device, start.dtype)  # rounded once, after the walk
            given = () if labels is None else (labels[chosen].repeat(2).to(distance.device),)
            first, second = _compared(generator(z, *given), len(z), steps.side).chunk(2)
            yield distance(first, second).cpu()
            advance(len(chosen))


def _compared(images: Tensor, number: int, side: int | None) -> Tensor:
    """[number, 3, side, side] of a generator's pictures."""
    if not images.is_floating_point() or images.ndim != 4 or len(images) != number or images.shape[1] not in (1, 3):
        raise InputTypeError(
            f"expected float pictures [{number}, 1 or 3, height, width] in [-1, 1] of {number} latents, got {images.dtype} "
            f"{list(images.shape)}; do not round them to uint8: a small step is less than a gray level"
        )
    color = images.float().expand(-1, 3, -1, -1)
    return color if side is None else area_or_bilinear(color, side, side)


@contextmanager
def _evaluating(generator: Callable[..., Tensor]) -> Iterator[None]:
    """No gradients; evaluation mode where the generator is a module, afterwards as it was."""
    modes = {module: module.training for module in generator.modules()} if isinstance(generator, nn.Module) else {}
    try:
        for module in modes:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training
