"""Published weights: where they are, how they are verified, what to do without internet. Never an unverified byte."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED

from ganeval.download import download
from ganeval.errors import InputError, reason
from ganeval.files import cache_folder, opened, sha256_of, written_at_once
from ganeval.progress import Progress, silent
from ganeval.published import INCEPTION, WEIGHTS, WeightsFile
from ganeval.zips import is_zip, opened_zip

if TYPE_CHECKING:
    from torch import Tensor


__all__ = [
    "INCEPTION",
    "WEIGHTS",
    "Unreadable",
    "WeightsFile",
    "fetch",
    "home_of",
    "import_file",
    "load_state_dict",
    "local_copy",
    "torchscript_state_dict",
    "unpickled",
]

SMALL, SHARED = 2**30, 16  # bytes, and how many times over tensors may share what the file holds
EMBEDDED_INSTEAD = "score with the embedded network, which is no FID: --extractor tiny"


def home_of(weights: WeightsFile) -> Path:
    """Where ganeval keeps this file."""
    return cache_folder("weights") / weights.filename


def local_copy(weights: WeightsFile) -> Path | None:
    """A verified copy on this machine, ganeval's own or another tool's; None where there is none.

    Raises:
        InputError: ganeval's own copy is not the published file.
    """
    own = home_of(weights)
    if own.exists():
        found = sha256_of(own)
        if found != weights.sha256:
            raise InputError(f"{own} has sha256 {found}, expected {weights.sha256}; remove it and fetch it again")
        return own
    others = (Path.home() / place for place in weights.also_at)
    return next((path for path in others if path.is_file() and sha256_of(path) == weights.sha256), None)


def fetch(weights: WeightsFile, *, mirrors: Sequence[str] = (), instead: str = EMBEDDED_INSTEAD, progress: Progress = silent) -> Path:
    """A verified copy, downloaded if there is none yet.

    Args:
        mirrors: base URLs tried before the published ones; `$GANEVAL_MIRROR` adds one.
        instead: what can be done without these weights, for the error; "" where nothing can.

    Raises:
        InputError: no address gave the file; says what to do on a machine without internet.
    """
    if (path := local_copy(weights)) is not None:
        return path
    extra = [*mirrors, *filter(None, [os.environ.get("GANEVAL_MIRROR")])]
    urls = [f"{mirror.rstrip('/')}/{weights.filename}" for mirror in extra] + list(weights.urls)
    try:
        return download(urls, home_of(weights), sha256=weights.sha256, size=weights.size, progress=progress)
    except InputError as error:
        raise InputError(
            f"the weights of {weights.name} are not on this machine. {error}\n"
            f"Without internet, do one of these:\n"
            f"  fetch {weights.filename} ({weights.in_words})\n"
            f"    elsewhere, then run: ganeval weights import {weights.filename}\n"
            f"    or put it at {home_of(weights)}\n"
            f"  name a mirror:         ganeval weights fetch {weights.name} --mirror URL" + (f"\n  {instead}" if instead else "")
        ) from None


def import_file(path: Path) -> tuple[WeightsFile, Path]:
    """Copy a published file, got by any means, to where ganeval looks for it. Known by its sha256, whatever its name.

    Raises:
        InputError: the sha256 is of no published file.
    """
    found = sha256_of(path)
    weights = next((known for known in WEIGHTS.values() if known.sha256 == found), None)
    if weights is None:
        known = "".join(f"\n  {item.filename}: {item.in_words}" for item in WEIGHTS.values())
        raise InputError(
            f"{path} ({path.stat().st_size:,} bytes) has sha256 {found}, which is of none of the published files:{known}\n"
            "Fetch it again, or use it as it is with --weights, which marks the scores as not standard"
        )
    home = home_of(weights)
    home.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as original, written_at_once(home) as copy:
        shutil.copyfileobj(original, copy)
    return weights, home


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors in a PyTorch or safetensors file. Nothing in it is executed.

    Raises:
        InputError: no such file, a pickle of something else than tensors, or a damaged file.
    """
    if not path.is_file():
        raise InputError(f"the weights file {path} does not exist")
    try:
        loaded = _safetensors(path) if path.suffix == ".safetensors" else unpickled(path)
        check_sizes(loaded, path)
    except Unreadable as error:
        raise InputError(
            f"{path} is not a file of weights that can be loaded safely ({error}); "
            "expected a state dict saved by torch.save, or .safetensors"
        ) from None
    if not isinstance(loaded, dict) or not all(hasattr(value, "is_floating_point") for value in loaded.values()):
        raise InputError(f"{path} holds a {type(loaded).__name__}, not a state dict of tensors; save model.state_dict()")
    return loaded


def torchscript_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors in a TorchScript archive, which is a program: only for a file whose sha256 is that of a published one."""
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.load")  # deprecated; what was published so long ago stays as it is
        state: dict[str, Tensor] = torch.jit.load(path, map_location="cpu").state_dict()
    return state


class Unreadable(Exception):
    """Why a file cannot be read as weights, in a few words."""


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:  # also of kinds of numbers that torch does not have
        raise Unreadable(reason(error)) from None


def unpickled(path: Path) -> Any:
    """What torch.save wrote, if it is of tensors and plain values, on the CPU. The one place where a pickle of others is opened.

    Raises:
        Unreadable: it holds anything else, or is damaged.
        OSError: it cannot be opened.
    """
    import torch

    with opened(path) as file:
        _check_plain(path)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a reader of zips and pickles fails in many ways on what is neither
            raise Unreadable(reason(error).split(". ")[0]) from None


def _check_plain(path: Path) -> None:
    """Refuse programs, which torch before 2.6 ran even so (CVE-2025-32434), and what would be expanded: torch.save does not compress."""
    if not is_zip(path):
        return
    with opened_zip(path) as archive:
        if any("/code/" in name or name.endswith("constants.pkl") for name in archive.namelist()):
            raise Unreadable("it is a TorchScript archive, which is a program")
        if any(info.compress_type != ZIP_STORED for info in archive.infolist()):
            raise Unreadable("its parts are compressed, which torch.save does not do")


def check_sizes(loaded: Any, path: Path) -> None:
    """Refuse tensors that are far larger than the file: views that repeat a few numbers take memory once something is made of them.

    Raises:
        Unreadable: saying how large they are.
    """
    tensors = loaded.values() if isinstance(loaded, dict) else ()
    stated = sum(value.numel() * value.element_size() for value in tensors if hasattr(value, "element_size"))
    if stated > SMALL + SHARED * path.stat().st_size:
        raise Unreadable(f"its tensors state {stated:,} bytes, but the file has {path.stat().st_size:,}")
