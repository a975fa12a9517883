"""Configurations as the command line and a run folder see them: fields with type, default and help; values by name."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ganeval.errors import InputError, nearest
from ganeval.training.gan import GAN, GANConfig, Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a configuration."""

    name: str
    type: type  # int, float, bool or str
    choices: tuple[str, ...]  # of a str; () is any
    default: Any  # the paper's
    help: str


def fields_of(config: type[GANConfig]) -> list[Field]:
    """In the order they are written, the model's own after those that every model has."""
    hints = get_type_hints(config, include_extras=True)
    return [_field(field.name, hints[field.name], field.default) for field in fields(config)]


def _field(name: str, hint: Any, default: Any) -> Field:
    text = ""
    if get_origin(hint) is Annotated:
        hint, text, *_ = get_args(hint)
    if get_origin(hint) is Literal:
        return Field(name=name, type=str, choices=get_args(hint), default=default, help=text)
    if get_origin(hint) in (Union, UnionType) or hint not in (int, float, bool, str) or default is MISSING:
        raise TypeError(f"the field {name} of a configuration must be an int, float, bool, str or Literal with a default, it is {hint}")
    return Field(name=name, type=hint, choices=(), default=default, help=text)


def preset_of(model: type[GAN], name: str) -> Preset:
    """The named configuration.

    Raises:
        InputError: the model has none of that name.
    """
    if name not in model.presets:
        raise InputError(f"{model.__name__} has no configuration {name!r}; {nearest(name, model.presets)}")
    return model.presets[name]
