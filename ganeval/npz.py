"""Arrays in .npy and .npz files that somebody else made: nothing is unpickled, and none is larger than its file says."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from ganeval.zips import METHODS, opened_zip

MOST = 2**31  # bytes of one array that is read as a whole: a covariance of 16,384 features

Array = np.ndarray[Any, np.dtype[Any]]
Header = tuple[tuple[int, ...], bool, "np.dtype[Any]"]  # shape, Fortran order, dtype


def header(file: IO[bytes]) -> Header:
    """The start of a .npy; leaves `file` at the first value.

    Raises:
        ValueError: it is none.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        found: Header = read(file)
    except (SyntaxError, TypeError, RecursionError, MemoryError, TokenError) as error:  # of Python's own parser, which numpy gives it to
        raise ValueError(f"its header cannot be read ({type(error).__name__})") from None
    if any(side < 0 for side in found[0]):
        raise ValueError(f"its header states the shape {list(found[0])}")
    return found


def member(archive: ZipFile, name: str) -> ZipInfo:
    """The .npy that holds the array `name`.

    Raises:
        KeyError: there is none.
        BadZipFile: it cannot be expanded piece by piece.
    """
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in METHODS:
        raise BadZipFile(f"{name} is compressed by another method than deflate; save it again with numpy.savez_compressed")
    return info


def headers(archive: ZipFile) -> dict[str, Header]:
    """Of all arrays, by name."""
    found = {}
    for name in archive.namelist():
        if name.endswith(".npy"):
            with archive.open(member(archive, name.removesuffix(".npy"))) as file:
                found[name.removesuffix(".npy")] = header(file)
    return found


def arrays(path: Path, names: Collection[str]) -> dict[str, Array]:
    """Those of these arrays that are there, each of `MOST` bytes at most.

    Raises:
        ValueError, EOFError, OSError, BadZipFile: they cannot be read, are not what their headers say, or hold pickled objects.
    """
    with opened_zip(path) as archive:
        present = set(archive.namelist())
        return {name: _array(archive, name) for name in names if f"{name}.npy" in present}


def _array(archive: ZipFile, name: str) -> Array:
    info = member(archive, name)
    with archive.open(info) as file:
        shape, _, dtype = header(file)
        start = file.tell()
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled objects, which may be code, and is not opened")
    size = math.prod(shape) * dtype.itemsize
    if size > MOST:
        raise ValueError(f"{name} is of {size:,} bytes, over the limit of {MOST:,}")
    if start + size != info.file_size:
        raise ValueError(f"{name} {list(shape)} of {dtype} has {size:,} bytes, but its file says {info.file_size - start:,}")
    with archive.open(info) as file:
        found: Array = np.lib.format.read_array(file, allow_pickle=False)
    return found
