"""Ahead: what threads make of items before it is asked for, in order, within a bound of memory."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ganeval.images.pillow import decoding

MAX_WORKERS = 16
AHEAD_BYTES = 2**30  # of all items but the next one: what is being made of them, and what waits to be asked for

Item = TypeVar("Item")
Result = TypeVar("Result")


class Share:
    """The memory that one item may take."""

    def __init__(self, room: Room, position: int) -> None:
        self._room, self._position = room, position

    def take(self, size: int) -> None:
        """From now on it needs `size` bytes in all; waits until they are free. The item that is next waits for nobody."""
        self._room.take(self._position, size)


class Room:
    """The memory of all items together."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._taken: dict[int, int] = {}  # by position
        self._next = 0  # the position of the item that is asked for
        self._closed = False
        self._changed = threading.Condition()

    def take(self, position: int, size: int) -> None:
        with self._changed:
            more = size - self._taken.get(position, 0)
            self._changed.wait_for(lambda: more <= max(0, self._free) or position == self._next or self._closed)
            if self._closed:
                raise Closed
            self._taken[position] = size
            self._free -= more
            self._changed.notify_all()

    def leave(self, position: int) -> None:
        """Its result was asked for: it takes nothing any longer, and the one behind it is next."""
        with self._changed:
            self._free += self._taken.pop(position, 0)
            self._next = position + 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will be asked for: who waits gives up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Closed(Exception):
    """Of an item that nobody asks for any longer."""


def ahead(
    function: Callable[[Item, Share], Result], items: Sequence[Item], *, count: int, size: Callable[[Result], int]
) -> Generator[tuple[Item, Result], None, None]:
    """(item, result) in order, computed by threads before they are asked for (decoders release the GIL).

    Memory: AHEAD_BYTES, and what the next item takes beyond.

    Args:
        function: takes of its share what it needs, before it needs it.
        count: of results that may wait, however small.
        size: of a result, in bytes.
    """
    workers = min(MAX_WORKERS, os.cpu_count() or 1)
    room = Room(AHEAD_BYTES)

    def made(position: int, item: Item) -> Result:
        share = Share(room, position)
        result = function(item, share)
        share.take(size(result))
        return result

    pool = ThreadPoolExecutor(workers, thread_name_prefix="ganeval-decode")
    pending: deque[tuple[int, Item, Future[Result]]] = deque()
    with decoding():
        try:
            for position, item in enumerate(items):
                pending.append((position, item, pool.submit(made, position, item)))
                if len(pending) >= max(count, 2 * workers):
                    yield _next(pending, room)
            while pending:
                yield _next(pending, room)
        finally:
            room.close()
            pool.shutdown(cancel_futures=True)


def _next(pending: deque[tuple[int, Item, Future[Result]]], room: Room) -> tuple[Item, Result]:
    position, item, future = pending.popleft()
    result = future.result()
    room.leave(position)
    return item, result
