"""Page: a template filled in a language, as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ganeval.files import written_at_once
from ganeval.pages.language import Language, language


def rendered(template: str, lang: str, **values: Any) -> str:
    """HTML of a template of this room.

    Raises:
        InputError: no such language.
    """
    chosen = language(lang)
    return environment(chosen).get_template(template).render(language=chosen, **values)


def write(path: Path, text: str) -> Path:
    """The file, at once or not at all."""
    with written_at_once(path) as file:
        file.write(text.encode())
    return path


def shortest_ends(paths: Sequence[str]) -> list[str]:
    """What tells paths apart: as much of the end of each as is needed; of equal ones nothing."""
    parts = [PurePath(path).parts for path in paths]
    for length in range(1, max(map(len, parts), default=0) + 1):
        ends = ["/".join(part[-length:]) for part in parts]
        if len(set(ends)) == len(ends):
            return ends
    return [""] * len(paths)


def score(one: Any, digits: int = 6) -> str:
    """A score of JSON: its value, with its standard error or else the spread that the metric itself defines."""
    value, reach = one["value"], reach_of(one)
    if value is None:
        return "none"
    return f"{value:.{digits}g}" if reach is None else f"{value:.{digits}g} ± {reach:.3g}"


def reach_of(one: Any) -> float | None:
    """The standard error of a score of JSON, or where there is none the spread that the metric itself defines."""
    error: float | None = one.get("error")
    return one["spread"] if error is None else error


@cache
def environment(chosen: Language) -> Environment:
    """What templates are read with: `{% trans %}` and `_` look texts up in the catalog of the language."""
    made = Environment(
        loader=PackageLoader("ganeval.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(chosen.text, chosen.counted, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "score": score,
        "duration": lambda seconds: _duration(seconds, chosen),
        "thousands": lambda number: chosen.numbers(f"{number:,}"),
        "sentence": chosen.sentence,
        "drawing": lambda svg: _drawing(svg, chosen),
    }
    return made


def _drawing(svg: str, chosen: Language) -> Markup:
    """SVG of our own, its numbers as the language has them."""
    return Markup(re.sub(r">([^<]+)<", lambda found: f">{chosen.numbers(found[1])}<", svg))


def _duration(seconds: float, chosen: Language) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return chosen.filled("{minutes} min {seconds} s", {"minutes": minutes, "seconds": rest})
    return chosen.filled("{hours:,} h {minutes} min", {"hours": minutes // 60, "minutes": minutes % 60})
