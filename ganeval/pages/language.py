"""Language: the texts of pages in a language. They are looked up by their English wording, in one catalog file for each language.

A catalog is JSON: `name`, `thousands` (what stands between groups of digits), `plural` (the C expression of gettext that gives the number
of a plural form from n) and `texts`: English → translation, a list of forms where a count decides. Texts with names in braces are
templates: a finished English sentence is recognized by them, and what stood in the braces is translated in its turn.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from ganeval.errors import InputError, nearest

GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")  # 50,000
FIELD = re.compile(r"\{(\w+)[^}]*\}")
FORMATTED = re.compile(r"\{\w+:")  # of numbers, whose sentences are filled here and never come finished


@dataclass(frozen=True, eq=False)
class Language:
    """English where the catalog is empty; what a catalog lacks stays English."""

    code: str  # of the attribute `lang`
    thousands: str = ","
    texts: Mapping[str, Any] = field(default_factory=dict)
    plural: Callable[[int], int] = lambda n: int(n != 1)

    def text(self, english: str) -> str:
        """A text of our own, as it stands in code or template."""
        found: str = self.texts.get(english, english)
        return found

    def counted(self, one: str, many: str, n: int) -> str:
        """The form for n of a text that `one` and `many` are the English forms of."""
        forms = self.texts.get(one)
        return (one if n == 1 else many) if forms is None else str(forms[self.plural(n)])

    def filled(self, template: str, values: Mapping[str, Any]) -> str:
        """A template of `str.format` and its values; words among the values are translated too."""
        shown = {name: self.sentence(value) if isinstance(value, str) else value for name, value in values.items()}
        return self.numbers(self.text(template).format(**shown))

    def sentence(self, english: str) -> str:
        """A finished English sentence: as it stands in the catalog, or by the template that it was made from."""
        if english in self.texts:
            return self.text(english)
        for pattern, template in self._templates:
            if found := pattern.fullmatch(english):
                return self.filled(template, found.groupdict())
        return self.numbers(english)

    def numbers(self, text: str) -> str:
        """Groups of digits as the language has them; the decimal point stays, so that numbers can be held against the JSON."""
        return text if self.thousands == "," else GROUPED.sub(lambda found: found[0].replace(",", self.thousands), text)

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], str]]:
        """Those with the most words of their own first."""
        templates = [english for english in self.texts if FIELD.search(english) and not FORMATTED.search(english)]
        templates.sort(key=lambda english: len(FIELD.sub("", english)), reverse=True)
        return [(_pattern(template), template) for template in templates]


def languages() -> list[str]:
    """The codes of all languages that there are."""
    found = (path.name.removesuffix(".json") for path in _catalogs().iterdir() if path.name.endswith(".json"))
    return ["en", *sorted(found)]


@cache
def language(code: str) -> Language:
    """The language of that code.

    Raises:
        InputError: there is none.
    """
    if code == "en":
        return Language("en")
    if code not in languages():
        raise InputError(f"no pages are written in {code!r}; {nearest(code, languages())}")
    catalog = json.loads(_catalogs().joinpath(f"{code}.json").read_text(encoding="utf-8"))
    return Language(code, catalog["thousands"], catalog["texts"], gettext.c2py(catalog["plural"]))


def _catalogs() -> Any:
    return files("ganeval.pages").joinpath("languages")


def _pattern(template: str) -> re.Pattern[str]:
    """What sentences made from a template look like."""
    parts = re.split(r"\{(\w+)[^}]*\}", template)  # text, name, text …
    return re.compile("".join(f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)), re.DOTALL)
