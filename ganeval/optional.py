"""Optional packages, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ganeval.errors import InputError


def package(name: str, *, extra: str, asked_by: str) -> Any:
    """An optional package, imported when it is needed.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:  # it is there, and something of its own is not
            raise
        raise InputError(f"{asked_by} needs {name}; install it with: pip install 'ganeval[{extra}]'") from None
