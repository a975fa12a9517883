"""Languages of pages: every text of ours is in every catalog, finished sentences are recognized, what is unknown stays English."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from ganeval.errors import InputError
from ganeval.first_look import CLOSER
from ganeval.metrics import METRICS
from ganeval.pages.language import FIELD, Language, language, languages
from ganeval.pages.page import environment

ROOM = Path(str(files("ganeval.pages")))
CODE = ROOM.parent
OTHERS = [code for code in languages() if code != "en"]


def of_templates() -> set[str]:
    """What `{% trans %}` and `_` hold."""
    english = environment(language("en"))
    found: set[str] = set()
    for path in (ROOM / "templates").glob("*.html"):
        for _, _, message in english.extract_translations(path.read_text(encoding="utf-8")):  # type: ignore[attr-defined]
            found.add(message if isinstance(message, str) else str(message[0]))
    return found


def of_code() -> set[str]:
    """What the code of pages gives to `text` and `filled`."""
    found = set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in ("text", "filled"):
                continue
            if isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


def of_metrics() -> set[str]:
    rows = METRICS.values()
    return {text for row in rows for text in (row.title, row.other_title, row.sees, row.better) if text}


def of_notes() -> Iterator[str]:
    """What passes over images yield as notes, with {} for whatever is put in."""
    for path in (CODE / "provenance.py", CODE / "side.py", CODE / "first_look.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Yield) and isinstance(node.value, ast.JoinedStr):
                parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.value.values)
                yield "".join(parts).replace("{}{}", "{}")


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_templates_code_and_metrics_is_translated(code: str) -> None:
    wanted = of_templates() | of_code() | of_metrics()
    assert len(wanted) > 150
    missing = sorted(wanted - language(code).texts.keys())
    assert not missing, f"{code}.json lacks {len(missing)} texts: {missing}"


@pytest.mark.parametrize("code", OTHERS)
def test_every_note_has_its_template(code: str) -> None:
    known = {FIELD.sub("{}", text) for text in language(code).texts}
    found = set(of_notes())
    assert len(found) >= 12
    assert language(code).text(CLOSER) != CLOSER
    assert found <= known


def of_doctor() -> set[str]:
    """The sentences and remedies of findings."""
    found = set()
    for path in (CODE / "doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("sentence", "remedy") and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return found


@pytest.mark.parametrize("code", OTHERS)
def test_what_the_doctor_says_is_translated(code: str) -> None:
    assert len(of_doctor()) > 40
    missing = sorted(of_doctor() - language(code).texts.keys())
    assert not missing, f"{code}.json lacks {len(missing)} sentences of the doctor: {missing}"


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_same_places_as_its_english_text(code: str) -> None:
    for english, translated in language(code).texts.items():
        for form in translated if isinstance(translated, list) else [translated]:
            for places in (FIELD, re.compile(r"%\((\w+)\)s"), re.compile("%%")):
                assert sorted(places.findall(english)) == sorted(places.findall(form)), english


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalog_is_one_file_that_names_its_language_and_its_plurals(code: str) -> None:
    catalog = json.loads((ROOM / "languages" / f"{code}.json").read_text(encoding="utf-8"))
    assert set(catalog) == {"name", "thousands", "plural", "texts"}
    forms = [text for text in catalog["texts"].values() if isinstance(text, list)]
    assert forms
    chosen = language(code)
    assert all(chosen.plural(n) < len(form) for form in forms for n in range(200))


def test_titles_are_translated_part_by_part() -> None:
    chosen = language("vi")
    title = chosen.sentence("Fréchet distance, of tiny features; lower is better")
    assert title == "khoảng cách Fréchet, trên đặc trưng của tiny; càng thấp càng tốt"


def test_notes_keep_their_numbers_with_the_separator_of_the_language() -> None:
    note = (
        "1,500 real images for 50,000 fakes: how the reals happen to be drawn moves scores more than their errors say; use at least 50,000"
    )
    found = language("vi").sentence(note)
    assert found.startswith("1\u202f500 ảnh thật cho 50\u202f000 ảnh sinh")
    assert found.count("50\u202f000") == 2
    assert language("en").sentence(note) == note


def test_decimal_points_and_lists_of_numbers_stay() -> None:
    chosen = language("vi")
    for text in ("12.3456 ± 0.4", "0,1,2", "3.14159,2", "sha256 1234,5"):
        assert chosen.numbers(text) == text


def test_what_no_catalog_knows_stays_english() -> None:
    assert language("vi").sentence("the moon is made of cheese") == "the moon is made of cheese"
    assert language("vi").filled("{number} moons", {"number": 3}) == "3 moons"


def test_a_language_with_several_plural_forms_needs_only_its_catalog() -> None:
    forms = {"%(n)s step": ["%(n)s krok", "%(n)s kroky", "%(n)s kroków"]}
    polish = Language("pl", texts=forms, plural=lambda n: 0 if n == 1 else 1 if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else 2)
    template = environment(polish).from_string("{% trans count=n, n=n %}{{ n }} step{% pluralize %}{{ n }} steps{% endtrans %}")
    assert [template.render(n=n) for n in (1, 2, 5)] == ["1 krok", "2 kroky", "5 kroków"]


def test_an_unknown_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="no pages are written in 'vn'; did you mean vi"):
        language("vn")
