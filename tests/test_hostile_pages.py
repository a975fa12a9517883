"""Pages of hostile names, labels, notes and settings: what comes from outside is text, and never an element, an attribute or a command."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from test_page import Elements

from conftest import MeanColor
from ganeval import InputError, Report, evaluate, explain
from ganeval.citations import bibtex, methods
from ganeval.cli import main
from ganeval.doctor.finding import Finding
from ganeval.pages import space
from ganeval.pages.compared import write_comparison
from ganeval.pages.explained import write_explanation
from ganeval.pages.plots import intervals
from ganeval.pages.run import page
from ganeval.pages.scores import write_report
from ganeval.verdict import verdicts
from pictures import pictures

pytestmark = pytest.mark.usefixtures("one_thread")

PLAIN = "plain"
HOSTILE = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)></style></title></pre></table></details>"
    '<a href="javascript:alert(1)">&lt;b&gt; {{ 7 * 7 }} {% raw %} ${7*7} --> ]]> \x1b[31m \\input{/etc/passwd} $x_1$ %s {0} #010203'
)
SHORT = "\"'><img src=x onerror=alert(1)>&lt;{{7*7}}"  # as the name of a file


def shape(text: str) -> list[tuple[str, list[str]]]:
    """Elements with the names of their attributes, as a browser finds them."""
    return [(tag, sorted(attributes)) for tag, attributes in Elements(text).found]


def check(plain: str, hostile: str) -> None:
    """Nothing but text may differ."""
    assert shape(hostile) == shape(plain)
    for tag, attributes in Elements(hostile).found:
        assert tag not in ("script", "iframe", "object", "embed", "base", "link", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src", "xlink:href", "action", "srcset"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/")) or re.fullmatch(r"[a-z-]+\.(png|csv|json)", value)


def with_word(value: Any, word: str, *, keys: bool = False) -> Any:
    """Each string in a value followed by the word."""
    if isinstance(value, str):
        return f"{value}{word}"
    if isinstance(value, dict):
        return {f"{key}{word}" if keys else key: with_word(inner, word, keys=keys) for key, inner in value.items()}
    return [with_word(one, word, keys=keys) for one in value] if isinstance(value, list) else value


def run_folder(folder: Path, word: str) -> Path:
    """What a run leaves, with the word in each place that a model, data or a person has a say in."""
    key = word.replace("/", "|")  # a slash in the key of a score means a part of one
    (folder / "samples").mkdir(parents=True)
    pictures(1, (32, 32))[0].save(folder / "samples" / "000001.png")
    config = {
        **with_word({"model": "dcgan", "preset": "quick", "device": "cpu", "extractor": "tiny", "paper": "p", "command": "c"}, word),
        **with_word({"config": {"lr": 1.0, "note": "x", "list": ["a", "b"]}, "versions": {"torch": "2"}}, word),
        "data": {
            "name": f"shapes{word}",
            "spec": {"task": f"images{word}", "image_size": 32, "channels": 3, "label_names": [f"a{word}", "b"]},
            "provenance": with_word({"url": "x", "inner": {"deep": ["y", {"deeper": "z"}]}}, word, keys=True),
        },
        "num_steps": 3,
        "seed": 0,
    }
    report = {
        "scores": {f"fd{key}": {"value": 1.0, "spread": None}},
        "titles": {f"fd{key}": word},
        "num_real": 2,
        "num_fake": 2,
        "extractor": f"tiny{word}",
        "convention": f"ttur{word}",
        "provenance": with_word({"a": "b", "skipped": ["x.png: bad"]}, word, keys=True),
        "notes": [f"note{word}"],
    }
    lines = {
        "losses": {"step": 1, "seconds": 1, "losses": {f"generator{word}": 1.0}},
        "scores": {
            "step": 1,
            "seconds": 1,
            "best": True,
            "scores": {f"fd{key}": {"value": 1.0, "spread": None}},
            "titles": {f"fd{key}": word},
            "diversity": {f"coverage{word}": 0.5},
        },
        "events": {"step": 1, "kind": f"note{word}", "message": f"said{word}"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "scores.json").write_text(
        json.dumps({"step": 1, "checkpoint": f"best{word}", "seconds": 1, "reports": {f"title{word}": report}})
    )
    for name, line in lines.items():
        (folder / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    return folder


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_page_of_a_run(lang: str, tmp_path: Path) -> None:
    plain, hostile = (page(run_folder(tmp_path / name, word), lang=lang) for name, word in (("a", PLAIN), ("b", HOSTILE)))
    check(plain, hostile)
    assert hostile.count("&lt;script&gt;alert(1)") >= 30


def named_folder(folder: Path, word: str, *, skip: int = 0) -> Path:
    """Pictures whose names and classes hold the word; a slash closes a tag, too."""
    for index, picture in enumerate(pictures(12, (32, 32), skip=skip)):
        path = folder / f"{'ab'[index % 2]}<{word}" / f"script>{word}{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    return folder


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    root = tmp_path_factory.mktemp("named")
    return {
        word: (named_folder(root / f"{index}real{word}", word), named_folder(root / f"{index}fake{word}", word, skip=12))
        for index, word in enumerate((PLAIN, SHORT))
    }


@pytest.fixture(scope="module")
def scored(named: dict[str, tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Report, str]]:
    found = {}
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(space, "find_spec", lambda name: None)  # UMAP takes its time
    for word, sides in named.items():
        path = tmp_path_factory.mktemp("page") / "out.html"
        report = evaluate(*sides, extractor=MeanColor(), metrics=("fid", "intra_fid"), page=path)
        found[word] = report, path.read_text(encoding="utf-8")
    monkeypatch.undo()
    return found


def test_the_page_of_files_with_hostile_names(scored: dict[str, tuple[Report, str]]) -> None:
    check(scored[PLAIN][1], scored[SHORT][1])
    assert "&lt;img src=x" in scored[SHORT][1]


def poisoned(report: Report, word: str) -> Report:
    """As one read from somebody's file."""
    about = {**with_word(dict(report.provenance), word), "scores": report.provenance["scores"]}
    titles = {key: f"{title}{word}" for key, title in report.titles.items()}
    return replace(report, titles=titles, convention=f"x{word}", extractor=f"y{word}", notes=(f"note{word}",), provenance=about)


def finding(word: str) -> Finding:
    return Finding(
        check="leaks",
        severity="wrong",
        where="fake",
        sentence="{name} is a copy",
        remedy="remove {name}",
        values={"name": word},
        files=(word,),
    )


def test_the_page_of_a_report_of_somebody_else(scored: dict[str, tuple[Report, str]], tmp_path: Path) -> None:
    texts = []
    for word in (PLAIN, HOSTILE):
        report = poisoned(scored[PLAIN][0], word)
        path = write_report(report, tmp_path / "x.html", title=word, findings=[finding(word)], published=word)
        texts.append(path.read_text(encoding="utf-8"))
    check(*texts)
    assert shape(f"<p>{poisoned(scored[PLAIN][0], HOSTILE)._repr_html_()}") == shape(
        f"<p>{poisoned(scored[PLAIN][0], PLAIN)._repr_html_()}"
    )


def test_the_page_of_a_comparison(scored: dict[str, tuple[Report, str]], tmp_path: Path) -> None:
    texts = []
    for word in (PLAIN, HOSTILE):
        reports = {f"a{word}": scored[PLAIN][0], f"b{word}": scored[SHORT][0]}
        found = [replace(one, key=f"{one.key}") for one in verdicts({**reports})[:1]]
        texts.append(write_comparison(found, reports, tmp_path / "x.html").read_text(encoding="utf-8"))
    check(*texts)


def test_the_page_of_an_explanation(named: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    texts = []
    for index, (real, fake) in enumerate(named.values()):
        found = explain(real, fake, extractor=MeanColor())
        texts.append(write_explanation(found, tmp_path / str(index), num_shown=4).read_text(encoding="utf-8"))
    check(*texts)


@settings(max_examples=8)
@given(name=st.text(min_size=1, max_size=60), label=st.text(max_size=60))
def test_drawings_hold_any_name_as_text(name: str, label: str) -> None:
    plain, hostile = (intervals([one, "b"], [(0, 1, 2), (1, 2, 3)], label=two) for one, two in (("a", "l"), (name, label)))
    tags = [tag for tag, _ in shape(plain)]
    assert {tag for tag, _ in shape(hostile)} <= {*tags, "tspan"}


# ------------------------------------------------------------------ LaTeX, Markdown, JSON


def test_what_is_cited_is_printed_by_latex_and_not_obeyed(scored: dict[str, tuple[Report, str]]) -> None:
    text = methods(poisoned(scored[PLAIN][0], HOSTILE))
    ours = re.sub(r"\\(cite\{[\w,]+\}|pm\b|textbackslash\{\}|textasciitilde\{\}|textasciicircum\{\}|[{}#$%&_])", "", text).replace("$$", "")
    assert not set(ours) & set("\\{}#$%&_^~\x1b\n")
    assert bibtex(poisoned(scored[PLAIN][0], HOSTILE)) == bibtex(scored[PLAIN][0])


@pytest.mark.parametrize(
    "change",
    [
        {"num_real": "\\input{x}"},
        {"provenance": {"networks": {}, "scores": {"fid": {"metric": "evil", "extractor": "x"}}, "real": None, "fake": None}},
        {"provenance": {"networks": [], "scores": [], "real": None, "fake": None}},
        {"scores": {"fid": {"value": "x", "error": None, "spread": None, "deviations": None}}},
        {"notes": None},
    ],
    ids=["a number in LaTeX", "an unknown metric", "lists", "a value in words", "no notes"],
)
def test_a_report_with_something_odd_in_it_is_refused(
    change: dict[str, Any], scored: dict[str, tuple[Report, str]], tmp_path: Path
) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**scored[PLAIN][0].to_dict(), **change}))
    done = CliRunner().invoke(main, ["cite", str(path)], catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert "\\input" not in done.stdout


@pytest.mark.parametrize("text", ["[" * 100_000, '{"reports": {}}', '{"reports": [1]}', '{"scores": 3}', "3", "NaN", ""])
def test_json_of_somebody_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    for command in (["cite", path], ["compare", path, shutil.copy(path, tmp_path / "y.json")]):
        done = CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: ")


def test_a_run_of_nested_json_is_refused(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", PLAIN)
    for name in ("losses.jsonl", "scores.json", "config.json"):
        (folder / name).write_text("[" * 100_000 + "\n")
        with pytest.raises(InputError, match=f"{name}.*is damaged"):
            page(folder)


def test_tables_on_a_terminal_show_markup_and_controls_as_they_are(named: dict[str, tuple[Path, Path]]) -> None:
    report = evaluate(*named[PLAIN], extractor=MeanColor(), metrics=("fid",))
    text = str(replace(report, titles=dict.fromkeys(report.titles, "[bold]x[/y] :smile:")))
    assert "[bold]x[/y] :smile:" in text
