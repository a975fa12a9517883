"""diffusers pipelines: any that is in memory, asked for pictures by their position, and unconditional ones in a folder.

Of a folder only safetensors and the classes of diffusers are loaded, no code of the folder's.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganeval.errors import InputError, InputTypeError, printable, reason, shortened
from ganeval.files import MOST_JSON, content
from ganeval.generators.drawn import Making, seeded
from ganeval.images import unit_to_uint8
from ganeval.images.decode import decoded
from ganeval.optional import package

INSTEAD = "write its pictures into a folder by a script of its own, and score that"


def check_plain(folder: Path) -> None:
    """Refuse a pipeline that names code: some versions of diffusers run a .py in the folder, and load any class of any package by its name.

    Raises:
        InputError: naming it.
    """
    try:
        parts = json.loads(content(folder / "model_index.json", most=MOST_JSON))
        named = {name: part for name, part in parts.items() if isinstance(part, list) and part != [None, None]}
        odd = [name for name, part in named.items() if not name.isidentifier() or part[:1] != ["diffusers"]]
        code = [*folder.glob("*.py"), *(path for name in named if name.isidentifier() for path in (folder / name).glob("*.py"))]
        plain = isinstance(parts["_class_name"], str)
    except (ValueError, RecursionError, AttributeError, KeyError, OSError) as error:
        raise InputError(f"diffusers:{folder} is no pipeline: its model_index.json is damaged ({reason(error)})") from None
    if {"tokenizer", "text_encoder"} & named.keys():
        raise InputError(f"diffusers:{folder} needs prompts; write its pictures into a folder and score that, or give a callable in Python")
    if odd or code or not plain:
        what = printable(shortened(odd[0])) if odd else code[0] if code else "the class of the pipeline"
        raise InputError(f"diffusers:{folder} is not loaded: {what} may be code, or is no part of diffusers itself; {INSTEAD}")


class Asked:
    """Positions → uint8 [len, 3, height, width] out of a pipeline; each picture has a random generator of its own.

    Conditions take turns: picture n has number n % len of each list. Between calls the pipeline is as it was.
    """

    def __init__(self, pipeline: Any, *, seed: int, conditions: Mapping[str, Sequence[Any]] | None = None, **options: Any) -> None:
        self._pipeline, self._seed, self._options = pipeline, seed, options
        self._conditions = conditions or {}
        self.num_flagged = 0  # pictures that the pipeline's safety checker made black

    def __call__(self, positions: range) -> Tensor:
        asked: dict[str, Any] = {name: [values[i % len(values)] for i in positions] for name, values in self._conditions.items()}
        asked = asked or {"batch_size": len(positions)}
        with torch.no_grad(), _as_it_was(self._pipeline):
            output = self._pipeline(**asked, generator=[seeded(self._seed, i) for i in positions], **self._options)
        self.num_flagged += sum(map(bool, getattr(output, "nsfw_content_detected", None) or ()))
        images = _as_uint8(output.images if hasattr(output, "images") else output[0])
        if len(images) != len(positions):
            raise InputError(f"the pipeline was asked for {len(positions)} pictures and gave {len(images)}; give one prompt for each")
        return images


def opened(folder: str, *, seed: int, device: torch.device) -> Making:
    """A pipeline as `save_pretrained` wrote it, with its own number of steps.

    Raises:
        InputError: no such folder, or a pipeline that needs a prompt.
    """
    diffusers = package("diffusers", extra="diffusers", asked_by=f"the generator diffusers:{folder}")
    if not (Path(folder) / "model_index.json").is_file():
        raise InputError(f"diffusers:{folder} is no pipeline: there is no model_index.json; name a folder that save_pretrained() wrote")
    check_plain(Path(folder))
    try:
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True, use_safetensors=True).to(device)
    except Exception as error:  # whatever is missing or damaged, each part has its own
        raise InputError(f"diffusers:{folder} cannot be loaded: {reason(error)}") from None
    asked = Asked(pipe, seed=seed)

    def make(positions: range) -> Tensor:
        try:
            return asked(positions)
        except TypeError as error:  # it wants a class, a picture or a size
            raise InputError(
                f"diffusers:{folder} draws nothing out of noise alone ({reason(error)}); write its pictures into a folder and score that"
            ) from None

    return Making(kind="diffusers", make=make, value_range=(0, 1), about={"pipeline": type(pipe).__name__})


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
