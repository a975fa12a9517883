"""The pictures of a diffusers pipeline, as fakes to score."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError, InputTypeError, Notice
from ganeval.images import unit_to_uint8
from ganeval.images.decode import decoded


class PipelineImages:
    """Pictures out of a pipeline, as batches of uint8 [batch, 3, height, width]: for `Evaluator`, `Monitor`, and all that takes images.

        report = Evaluator("real/")(PipelineImages(pipeline, 2048, num_inference_steps=50))

    Picture number i is drawn with the seed `seed` + i, whatever the batch size, and each pass begins at the first. They are the pictures
    that the pipeline itself would hand out to be saved. The pipeline keeps its scheduler's state and its progress bar.

    Args:
        pipeline: a diffusers pipeline, or anything that is called like one.
        num_images: of a pass.
        prompts: what the pictures are asked to show, over and over; or for other conditions a list for each argument of the pipeline:
            {"class_labels": [207, 360]}.
        batch_size: pictures that are made at once.
        options: of each call of the pipeline: num_inference_steps, guidance_scale, height …

    Raises:
        InputError: a number below 1, conditions of different lengths, or a pipeline that gives other pictures than it was asked for.
    """

    def __init__(
        self,
        pipeline: Any,
        num_images: int,
        *,
        prompts: Sequence[str] | Mapping[str, Sequence[Any]] | None = None,
        seed: int = 0,
        batch_size: int = 8,
        **options: Any,
    ) -> None:
        for name, value in (("num_images", num_images), ("batch_size", batch_size)):
            if value < 1:
                raise InputError(f"{name} must be at least 1, got {value}")
        if isinstance(prompts, str):
            prompts = [prompts]
        self._conditions = dict(prompts) if isinstance(prompts, Mapping) else {} if prompts is None else {"prompt": prompts}
        lengths = {name: len(values) for name, values in self._conditions.items()}
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            raise InputError(f"the lists of conditions must be of one length, and not empty; got {lengths}")
        self._pipeline, self._seed, self._options = pipeline, seed, options
        self.num_images, self.batch_size = num_images, batch_size

    def __len__(self) -> int:
        """Batches."""
        return -(-self.num_images // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        flagged = 0
        for start in range(0, self.num_images, self.batch_size):
            numbers = range(start, min(start + self.batch_size, self.num_images))
            with torch.no_grad(), _as_it_was(self._pipeline):
                output = self._pipeline(**self._asked(numbers), **self._options)
            flagged += sum(map(bool, getattr(output, "nsfw_content_detected", None) or ()))
            images = _as_uint8(output.images if hasattr(output, "images") else output[0])
            if len(images) != len(numbers):
                raise InputError(f"the pipeline was asked for {len(numbers)} pictures and gave {len(images)}; give one prompt for each")
            yield images
        if flagged:
            warnings.warn(
                Notice(f"the pipeline's safety checker made {flagged:,} of {self.num_images:,} pictures black; they are in the score"),
                stacklevel=2,
            )

    def _asked(self, numbers: range) -> dict[str, Any]:
        generators = [torch.Generator().manual_seed(self._seed + number) for number in numbers]
        if not self._conditions:
            return {"batch_size": len(numbers), "generator": generators}
        chosen = {name: [values[number % len(values)] for number in numbers] for name, values in self._conditions.items()}
        return {**chosen, "generator": generators}


@contextmanager
def _as_it_was(pipeline: Any) -> Iterator[None]:
    """Inside: no progress bar, and a copy of the scheduler, which a call would set to steps of its own."""
    bar, scheduler = getattr(pipeline, "_progress_bar_config", None), getattr(pipeline, "scheduler", None)
    try:
        if hasattr(pipeline, "set_progress_bar_config"):
            pipeline.set_progress_bar_config(**{**(bar or {}), "disable": True})
        if scheduler is not None:
            pipeline.scheduler = copy.deepcopy(scheduler)
        yield
    finally:
        if hasattr(pipeline, "set_progress_bar_config"):
            pipeline.set_progress_bar_config(**(bar or {}))
        if scheduler is not None:
            pipeline.scheduler = scheduler


def _as_uint8(images: Any) -> Tensor:
    """Of what pipelines give: a list of Pillow pictures, or floats in [0, 1], as numpy with the channels last or as a tensor."""
    if isinstance(images, np.ndarray):
        return unit_to_uint8(torch.from_numpy(images).permute(0, 3, 1, 2))
    if isinstance(images, Tensor):
        return unit_to_uint8(images)
    if isinstance(images, list) and images and hasattr(images[0], "has_transparency_data"):
        return torch.stack([decoded(image).image for image in images])
    raise InputTypeError(f"the pipeline gave {type(images).__name__} instead of pictures; leave output_type out")
