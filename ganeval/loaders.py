"""Processes that load pictures beside this one: what is said when one of them is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ganeval.errors import InputError


@contextmanager
def loaders(remedy: str) -> Iterator[None]:
    """Where batches come from a DataLoader with workers: that one has died torch says in several ways, of which this makes one.

    Raises:
        InputError: one has died; with the remedy.
    """
    try:
        yield
    except (RuntimeError, EOFError, ConnectionError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith("DataLoader worker"):
            raise
        reason = f" ({str(error).strip(' .')})" if str(error) else ""
        raise InputError(f"a process that loads pictures has ended{reason}, as happens when memory is short; {remedy}") from None
