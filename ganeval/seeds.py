"""Which seeds there are: what all generators of random numbers here take."""

from __future__ import annotations

from ganeval.errors import InputError

NUM_SEEDS = 2**32  # numpy.random.RandomState takes no more


def check_seed(seed: int) -> None:
    """Refuse what some metric or net could not be drawn from.

    Raises:
        InputError: below 0, or NUM_SEEDS and more.
    """
    if not 0 <= seed < NUM_SEEDS:
        raise InputError(f"a seed is a whole number from 0 to {NUM_SEEDS - 1}, got {seed}; choose one of them")
