"""Any bytes in any file that is read: a value, or one sentence. The readers and their first inputs are those of benchmarks/readers.py."""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readers import TABLE, TARGETS, outcome

JSON = ("stats-words", "checkpoint-parts", "run", "run-losses", "run-scores", "run-events", "report", "pipeline")
EXAMPLES = {"run-losses": 10, "run-scores": 10, "run-events": 10, "run": 10, "tar": 15, "checkpoint-parts": 8, "stats-words": 12}


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


ODD: tuple[Any, ...] = (None, True, -1, 10**400, 1e308, math.nan, "x", [], [[]], {})
MISSING = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all values inside."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(found for key in keys for found in places(value[key], (*path, key)))]


def changed(name: str, path: tuple[Any, ...], new: Any) -> bytes:
    """The first input of a reader of JSON, with the value at a path replaced, or missing."""
    value = {"": json.loads(seeds(name)[0])}
    *above, last = ("", *path)
    parent: Any = value
    for key in above:
        parent = parent[key]
    parent[last] = new
    if new is MISSING:
        del parent[last]
    return json.dumps(value[""]).encode() + b"\n" if value else b""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_a_value_or_one_sentence(name: str) -> None:
    # The same bytes each time: what random ones find belongs to benchmarks/fuzz.py, and then below.
    @settings(max_examples=EXAMPLES.get(name, 30), derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=mutated(name))
    def check(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcome(TARGETS[name], data, Path(folder))

    check()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", JSON)
def test_any_value_of_a_file_of_json_may_be_another_or_missing(name: str) -> None:
    for path in places(json.loads(seeds(name)[0])):
        for new in (*ODD, MISSING):
            with tempfile.TemporaryDirectory() as folder:
                outcome(TARGETS[name], changed(name, path, new), Path(folder))


def of(name: str, place: str, new: Any) -> bytes:
    """`changed` at a path as "a/b"."""
    return changed(name, tuple(place.split("/")), new)


NUMPY = b"\x93NUMPY\x01\x00"


def _zip(member: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, bytes(4000))
    return file.getvalue()


def without_name() -> bytes:
    """A zip with a member whose name, in the list, has no letters: it is taken for the comment."""
    data = bytearray(_zip("x.png"))
    listed = data.rindex(b"PK\x01\x02")
    data[listed + 28 : listed + 34] = bytes(4) + (5).to_bytes(2, "little")
    return bytes(data)


def long_name(member: str) -> bytes:
    """A zip whose first member has, where it begins, another name than in the list: of a thousand bytes that follow."""
    data = bytearray(_zip(member))
    data[26:28] = (1000).to_bytes(2, "little")
    return bytes(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("npy", lambda: NUMPY + b"\x08\x00[{'descr", "header cannot be read"),
        ("npz-member", lambda: NUMPY + b"\x08\x00[{'descr", "header cannot be read"),
        ("stats-mean", lambda: NUMPY + b"\x08\x00[{'descr", "header cannot be read"),
        ("stats-mean", lambda: b"", "damaged"),
        ("stats", lambda: seeds("stats")[0].replace(b"PK\x01\x02", b"PK\x01\x03", 1), "no .npz"),
        ("attributes-csv", lambda: TABLE.replace(b"\n", b"\r"), "value"),
        ("attributes-csv", lambda: TABLE + b"x" * 140_000, "is no table of attributes: field larger than"),
        ("attributes-csv", lambda: TABLE + b"x" * 14_000, "values for x{300} …"),
        ("attributes-text", lambda: b"2\nYoung Male\nb.png 0 1\na.png 0 " + b"x" * 14_000, "Male = 'x{59} of"),
        ("zip", without_name, "is not a readable zip archive: a file in it has no name"),
        ("zip", lambda: long_name("x.png"), "x.png: damaged in the archive: File name in directory 'x.png' and header .{,300} …"),
        ("npz", lambda: long_name("arr_0.npy"), "numpy file: File name in directory 'arr_0.npy' and header .{,300} …"),
        ("stats-words", lambda: b"true", "not an object"),
        ("stats-words", lambda: b"{}", "is missing"),
        ("stats-words", lambda: of("stats-words", "count", "ten"), "'count' is 'ten'"),
        ("stats-words", lambda: of("stats-words", "count", 10**400), "'count' is 1000"),
        ("report", lambda: of("report", "provenance/networks", None), "'networks' is None, not an object"),
        ("report", lambda: of("report", "provenance/held_out", MISSING), "'held_out' is missing"),
        ("report", lambda: of("report", "provenance/real/images", "x"), "'images' is 'x'"),
        ("report", lambda: of("report", "provenance/seed", [1]), r"'seed' is \[1\]"),
        ("report", lambda: of("report", "notes", [[]]), r"a value in 'notes' is \[\]"),
        ("report", lambda: of("report", "scores/fd_mean_color/value", math.nan), "'value' is nan"),
        ("report", lambda: of("report", "scores/fd_mean_color/error", 1e308), "'error' is 1e"),
        ("run-losses", lambda: of("run-losses", "losses/d", 10**400), "'d' is 1000"),
        ("run-scores", lambda: of("run-scores", "scores/fd_tiny/error", "x"), "'error' is 'x'"),
        ("checkpoint-parts", lambda: b"null", "'model' is None"),
        ("checkpoint-parts", lambda: of("checkpoint-parts", "model/name", None), "'name' is None"),
        ("run", lambda: of("run", "settings/model", ["gan"]), "'model' is \\['gan'\\]"),
        ("run", lambda: of("run", "settings/metrics", None), "'metrics' is None"),
        ("run", lambda: of("run", "settings/config", None), "'config' is None"),
        ("run", lambda: of("run", "settings/config/z_dim", None), "'z_dim' is None"),
        ("run", lambda: of("run", "data/spec", {}), "'task' is missing"),
        ("run", lambda: of("run", "data/spec/channels", -1), "channels must be between 1 and"),
        ("run", lambda: of("run", "settings/config/z_dim", 2**40), "gan would have 2.8e\\+14 parameters"),
        ("run", lambda: of("run", "settings/seed", 2**40), "a seed is a whole number from 0"),
        ("run", lambda: of("run", "data", {}), "its config.json is of something else"),
    ],
)
def test_what_escaped_once_is_one_sentence(name: str, data: Callable[[], bytes], why: str, tmp_path: Path) -> None:
    assert re.search(why, outcome(TARGETS[name], data(), tmp_path))
