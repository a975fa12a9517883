"""Budget: scores while training may cost a share of the time, and no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Budget:
    """Says when the next score can be afforded.

    Args:
        share: of the wall time since the start, 0.05 for 5 %.
        clock: seconds, growing.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._clock = share, clock
        self._start = clock()
        self._spent = 0.0
        self._last = 0.0  # what the last score that counts cost; the next is taken to cost as much
        self.cost = 0.0  # seconds of the last score, counted or not

    @property
    def affordable(self) -> bool:
        """Whether a score now, and the one at the end that always comes, would leave all scores together within the share.

        The first one tells the price and comes at once.
        """
        return self._share > 0 and self._spent + 2 * self._last <= self._share * (self._clock() - self._start)

    @contextmanager
    def spending(self, *, free: bool = False) -> Iterator[None]:
        """Around a score. A `free` one is not counted, but time begins after it."""
        start = self._clock()
        try:
            yield
        finally:
            self.cost = self._clock() - start
            if free:
                self._start = self._clock()
            else:
                self._last = self.cost
                self._spent += self.cost
