"""A team: processes that share the work of one command. The parts add up in the first, which alone goes on with the whole.

All that travels lies in main memory by then, so it goes by gloo, on machines with GPUs too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Protocol, TypeVar

import torch

from ganeval.errors import InputError
from ganeval.machine import chosen_device
from ganeval.messages import received, send
from ganeval.processes import PATIENCE, Place, joined_processes, own_device

TOLD = (InputError, OSError, torch.cuda.OutOfMemoryError)  # what a user is told in a sentence, whichever process meets it


class Adds(Protocol):
    """What folds: a part that another can be added to."""

    def __add__(self, other: Any, /) -> Any: ...


Part = TypeVar("Part", bound=Adds)
Whole = TypeVar("Whole")


class Ended(Exception):
    """This process has nothing more to do: the first goes on, or says what went wrong."""


class Team:
    """The processes that share the work, seen from one of them. Every process calls `folded` as often, in the same order."""

    def __init__(self, place: Place | None = None) -> None:
        self._place = place or Place(torch.device("cpu"))
        self._over = self._place.world_size == 1

    @property
    def rank(self) -> int:
        return self._place.rank

    @property
    def size(self) -> int:
        """How many share the work; 1 when nothing is shared any more."""
        return 1 if self._over else self._place.world_size

    @property
    def is_first(self) -> bool:
        return self._place.is_first

    def told(self, number: int) -> int:
        """The number of the first process; all must ask."""
        return self._place.told(number)

    def folded(self, part: Part, finished: Callable[[Part], Whole], *, error: Exception | None = None) -> Whole | None:
        """In the first process what `finished` makes of all parts, added in the order of the ranks; None in the others.

        Takes log2(size) steps. A process that failed brings its error in place of a part.

        Raises:
            Exception: in the first process the error of the lowest rank, or that of `finished`.
            Ended: in the others, if there was one.
        """
        step = 1
        while step < self.size:
            if self.rank % (2 * step):
                send((part, error), to=self.rank - step)
                break
            if self.rank + step < self.size:
                other, of_other = received(sender=self.rank + step)
                error = error or of_other
                if error is None:
                    try:
                        part = part + other
                    except TOLD as found:
                        error = found
            step *= 2
        whole: Whole | None = None
        if self.is_first and error is None:
            try:
                whole = finished(part)
            except TOLD as found:
                error = found
        if self._place.agreed(error is not None):
            self._over = True
            raise error if self.is_first and error else Ended
        return whole

    def first_goes_on(self) -> None:
        """Nothing is shared from here on.

        Raises:
            Ended: in all processes but the first.
        """
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._over:
            return
        self.folded(0, int, error=error)
        self._over = True
        if not self.is_first:
            raise Ended

    def __enter__(self) -> Team:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """An error in one process ends all: it is raised in the first, the others leave the block silently, as they do at its end."""
        if error is None or isinstance(error, TOLD):
            with suppress(Ended):
                self._end(error)
        return isinstance(error, Ended) or (error is not None and isinstance(error, TOLD) and not self.is_first)


@contextmanager
def team(device: str | None) -> Iterator[tuple[Team, torch.device]]:
    """The team that torchrun started, and what this process is to compute on; a team of one elsewhere. See `Team.__exit__`."""
    with joined_processes(torch.device("cpu"), timeout=PATIENCE) as place, Team(place) as here:
        chosen = chosen_device(device)
        yield here, own_device(chosen) if here.size > 1 else chosen
