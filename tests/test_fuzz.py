"""Any bytes in any file that is read: a value, or one sentence. The readers and their first inputs are those of benchmarks/readers.py."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readers import TARGETS, outcome

JSON = ("stats-words", "checkpoint-parts", "run", "run-losses", "run-scores", "run-events", "report")
EXAMPLES = {"run-losses": 10, "run-scores": 10, "run-events": 10, "run": 20, "tar": 30}


@cache
def seeds(name: str) -> list[bytes]:
    return TARGETS[name].seeds()


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """A valid file with bytes changed, put in, taken out or cut off; now and then any bytes."""
    data = bytearray(draw(st.sampled_from(seeds(name))))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.sampled_from([0, 1, 2, 4, 8, 100])))
        data[start:stop] = draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff" * 4, bytes(8), b"\x7f\xff\xff\xff", b"\0"])))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 0 else data)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([0, -1, 1e308, "\0", "../x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all values inside."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(found for key in keys for found in places(value[key], (*path, key)))]


@st.composite
def other_json(draw: st.DrawFn, name: str) -> bytes:
    """A valid file with a value replaced by any other, or taken away."""
    value = {"": json.loads(draw(st.sampled_from(seeds(name))))}
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from([place for place in places(value) if place]))
        parent: Any = value
        for key in path:
            parent = parent[key]
        if draw(st.booleans()) or last == "":
            parent[last] = draw(anything)
        else:
            del parent[last]
    return json.dumps(value.get("")).encode() + b"\n"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_a_value_or_one_sentence(name: str) -> None:
    given_bytes = mutated(name) if name not in JSON else mutated(name) | other_json(name)

    @settings(max_examples=int(__import__("os").environ.get("EX", 0)) or EXAMPLES.get(name, 60), suppress_health_check=list(HealthCheck))
    @given(data=given_bytes)
    def check(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcome(TARGETS[name], data, Path(folder))

    check()
