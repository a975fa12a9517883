"""Which values of a parametrized test the quick suite takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pytest

Value = TypeVar("Value")


def slow_except(every: Iterable[Value], *quick: Value) -> list[object]:
    """All values, those but the quick ones marked slow."""
    values = list(every)
    assert set(quick) <= set(values)
    return [value if value in quick else pytest.param(value, marks=pytest.mark.slow) for value in values]
