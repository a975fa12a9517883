"""Unconditional diffusers pipelines in a folder. Only safetensors and the classes of diffusers are loaded, no code of the folder's."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.generators.drawn import Making, seeded
from ganeval.optional import package


def opened(folder: str, *, seed: int, device: torch.device) -> Making:
    """A pipeline as `save_pretrained` wrote it, with its own number of steps; each picture has a random generator of its own.

    Raises:
        InputError: no such folder, or a pipeline that needs a prompt.
    """
    diffusers = package("diffusers", extra="diffusers", asked_by=f"the generator diffusers:{folder}")
    if not (Path(folder) / "model_index.json").is_file():
        raise InputError(f"diffusers:{folder} is no pipeline: there is no model_index.json; name a folder that save_pretrained() wrote")
    try:
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True, use_safetensors=True).to(device)
    except Exception as error:  # whatever is missing or damaged, each part has its own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise InputError(f"diffusers:{folder} cannot be loaded: {reason}") from None
    pipe.set_progress_bar_config(disable=True)
    if any(hasattr(pipe, part) for part in ("tokenizer", "text_encoder")):
        raise InputError(f"diffusers:{folder} needs prompts; write its pictures into a folder and score that, or give a callable in Python")

    def make(positions: range) -> Tensor:
        rngs = [seeded(seed, position) for position in positions]
        try:
            pictures = pipe(batch_size=len(positions), generator=rngs, output_type="np").images  # [num, height, width, 3] in [0, 1]
        except TypeError as error:  # it wants a class, a picture or a size
            raise InputError(
                f"diffusers:{folder} draws nothing out of noise alone ({error}); write its pictures into a folder and score that"
            ) from None
        return torch.from_numpy(pictures).permute(0, 3, 1, 2)

    return Making(kind="diffusers", make=make, value_range=(0, 1), about={"pipeline": type(pipe).__name__})
