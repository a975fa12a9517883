"""Unconditional diffusers pipelines in a folder. Only safetensors and the classes of diffusers are loaded, no code of the folder's."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from ganeval.errors import InputError, printable
from ganeval.files import MOST_JSON, content
from ganeval.generators.drawn import Making, seeded
from ganeval.optional import package

INSTEAD = "write its pictures into a folder by a script of its own, and score that"


def _check_plain(folder: Path) -> None:
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
        raise InputError(f"diffusers:{folder} is no pipeline: its model_index.json is damaged ({error})") from None
    if {"tokenizer", "text_encoder"} & named.keys():
        raise InputError(f"diffusers:{folder} needs prompts; write its pictures into a folder and score that, or give a callable in Python")
    if odd or code or not plain:
        what = printable(odd[0]) if odd else code[0] if code else "the class of the pipeline"
        raise InputError(f"diffusers:{folder} is not loaded: {what} may be code, or is no part of diffusers itself; {INSTEAD}")


def opened(folder: str, *, seed: int, device: torch.device) -> Making:
    """A pipeline as `save_pretrained` wrote it, with its own number of steps; each picture has a random generator of its own.

    Raises:
        InputError: no such folder, or a pipeline that needs a prompt.
    """
    diffusers = package("diffusers", extra="diffusers", asked_by=f"the generator diffusers:{folder}")
    if not (Path(folder) / "model_index.json").is_file():
        raise InputError(f"diffusers:{folder} is no pipeline: there is no model_index.json; name a folder that save_pretrained() wrote")
    _check_plain(Path(folder))
    try:
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True, use_safetensors=True).to(device)
    except Exception as error:  # whatever is missing or damaged, each part has its own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise InputError(f"diffusers:{folder} cannot be loaded: {reason}") from None
    pipe.set_progress_bar_config(disable=True)

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
