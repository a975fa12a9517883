"""The pictures of a diffusers pipeline, as fakes to score."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from ganeval.errors import InputError, Notice
from ganeval.generators.pipeline import Asked


class PipelineImages:
    """Pictures out of a pipeline, as batches of uint8 [batch, 3, height, width]: for `Evaluator`, `Monitor`, and all that takes images.

        report = Evaluator("real/")(PipelineImages(pipeline, 2048, num_inference_steps=50))

    Picture number i has a random generator of its own, made of `seed` and i, whatever the batch size, and each pass begins at the first:
    the same pictures as of `diffusers:FOLDER`. They are what the pipeline itself would hand out to be saved. The pipeline keeps its
    scheduler's state and its progress bar.

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
        asked = Asked(self._pipeline, seed=self._seed, conditions=self._conditions, **self._options)
        for start in range(0, self.num_images, self.batch_size):
            yield asked(range(start, min(start + self.batch_size, self.num_images)))
        if asked.num_flagged:
            black = f"{asked.num_flagged:,} of {self.num_images:,}"
            warnings.warn(Notice(f"the pipeline's safety checker made {black} pictures black; they are in the score"), stacklevel=2)
