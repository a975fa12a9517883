"""Checkpoints: all that a run is, in one file that is whole or not there; read without running any code from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ganeval.errors import InputError
from ganeval.files import written_at_once
from ganeval.weights import Unreadable, unpickled

FORMAT = "ganeval checkpoint 1"


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings, lists and dicts of them) at once; a file that was there stays until then.

    Raises:
        OSError: it cannot be written, a full disk included.
    """
    with written_at_once(path) as file:
        try:
            torch.save({"format": FORMAT, **state}, file)
        except RuntimeError as error:  # torch's zip writer hides the reason of a failed write
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` wrote, with all tensors on the CPU.

    Raises:
        InputError: no such file, one cut off or damaged, or something else than a checkpoint of ganeval.
    """
    try:
        state = unpickled(path)
    except FileNotFoundError:
        raise InputError(f"there is no checkpoint {path}; a run that ended before its first has to be begun again") from None
    except Unreadable as error:
        raise InputError(f"{path} is damaged or no checkpoint of ganeval ({error}); take another one of the run") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise InputError(f"{path} is no checkpoint of ganeval; give a run folder that `ganeval train` made")
    return state
