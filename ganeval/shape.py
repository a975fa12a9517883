"""Shape: what values that came out of a file must be for ganeval to work with them; they may be more."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

Shape = type | Mapping[str, Any] | Sequence[Any]
"""A type; an object by its keys, of which "*" stands for every one and "key?" may be missing; [shape], a list of such; or several of
these in a tuple."""

NUMBER, NAME = (int, float, type(None)), (str, type(None))
LARGEST = 1e100  # in size: beyond every score of float32 features, and within what can be drawn
LARGEST_INT = 2**53  # what JSON means the same by everywhere


def check_shape(value: Any, shape: Shape, name: str = "the whole") -> None:
    """Raise a ValueError that names the first difference. Numbers are finite, and none is larger than can be worked with."""
    for kind in shape if isinstance(shape, tuple) else (shape,):
        if isinstance(kind, Mapping) and isinstance(value, dict):
            _check_object(value, kind, name)
            return
        if isinstance(kind, list) and isinstance(value, list):
            for item in value:
                check_shape(item, kind[0], f"a value in {name}")
            return
        if isinstance(kind, type) and _is(value, kind):
            return
    raise ValueError(f"{name} is {value!r:.60}" + (", not an object" if isinstance(shape, Mapping) else ""))


def _check_object(value: Mapping[str, Any], shape: Mapping[str, Any], name: str) -> None:
    for key, inner in (dict.fromkeys(value, shape["*"]) if "*" in shape else shape).items():
        plain = key if "*" in shape else key.removesuffix("?")
        if plain in value:
            check_shape(value[plain], inner, repr(plain))
        elif plain == key:
            raise ValueError(f"{key!r} is missing in {name}")


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return isinstance(value, kind) and abs(value) <= (LARGEST_INT if isinstance(value, int) else LARGEST)


def check_fields(values: Any, kind: type, name: str = "the whole") -> None:
    """Raise a ValueError where these, by name, are not what the fields of a dataclass may be, as JSON has them."""
    if not isinstance(values, dict):
        raise ValueError(f"{name} is {values!r:.60}, not an object")
    hints = get_type_hints(kind, include_extras=False)
    known = {field.name: field for field in fields(kind)}
    for key in values:
        if key not in known:
            raise ValueError(f"{key!r} in {name} is unknown")
    for key, field in known.items():
        if key not in values and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{key!r} is missing in {name}")
        if key in values and not _fits(values[key], hints[key]):
            raise ValueError(f"{key!r} is {values[key]!r:.60}")


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _fits(value, arguments[0])
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return isinstance(value, (str, int)) and value in arguments
    if origin is tuple:
        many = len(arguments) == 2 and arguments[1] is Ellipsis
        inner = (arguments[0],) * len(value) if many and isinstance(value, (list, tuple)) else arguments
        return isinstance(value, (list, tuple)) and len(value) == len(inner) and all(map(_fits, value, inner))
    if origin is not None:  # Mapping
        return isinstance(value, dict)
    if hint is type(None):
        return value is None
    return any(_is(value, kind) for kind in ((int, float) if hint is float else (hint,)))
