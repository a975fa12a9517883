"""The page of a training run: complete, self-contained, and honest about damaged and unfinished runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganeval.errors import InputError
from ganeval.pages import run as page_module
from ganeval.pages.curves import MAX_POINTS, Point, Scale, curve, spans_magnitudes
from ganeval.pages.run import MAX_STRIP, page, write_page

HOSTILE = "<script>alert('\"&$x_1$')</script>"


def write_lines(path: Path, *lines: dict[str, Any]) -> None:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def score_line(step: int, value: float, **more: Any) -> dict[str, Any]:
    scores = {"fd_tiny": {"value": value, "spread": None}, "is_tiny": {"value": 3.5, "spread": 0.25}}
    return {"step": step, "seconds": step / 10, "scores": scores, "diversity": {"coverage": 0.7}} | more


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A run that has only just begun."""
    spec = {"task": "classes", "image_size": 32, "channels": 3, "label_names": ["circle", HOSTILE], "domains": ["source", "target"]}
    config = {
        "model": "dcgan",
        "preset": "quick",
        "config": {"lr": 2e-4, "flip": False},
        "data": {"name": "shapes", "spec": spec, "provenance": {"split": {"seed": 0}, "url": "https://example.org/data.zip"}},
        "num_steps": 3000,
        "seed": 0,
        "device": "cpu",
        "extractor": "tiny",
        "paper": "Radford et al. 2015",
        "versions": {"torch": "2.15.0"},
        "command": "ganeval train dcgan",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.fixture
def finished(started: Path) -> Path:
    write_lines(
        started / "losses.jsonl",
        *({"step": step, "seconds": step / 10, "losses": {"generator": 1.0, HOSTILE: -step}} for step in range(50, 3001, 50)),
    )
    write_lines(started / "scores.jsonl", score_line(0, 250.0, best=True), score_line(1000, 11.5, best=True), score_line(3000, 14.5))
    write_lines(started / "events.jsonl", *({"step": 1200, "kind": kind, "message": HOSTILE} for kind in ("collapse", "rollback")))
    (started / "samples").mkdir()
    for step in range(0, 3001, 100):
        Image.new("RGB", (272, 136), (step % 256, 90, 120)).save(started / "samples" / f"{step:06d}.png")
    report = {
        "scores": {"fd_tiny": {"value": 12.3456, "spread": 0.4}},
        "titles": {"fd_tiny": "Fréchet distance of tiny features, lower is better"},
        "num_real": 2000,
        "num_fake": 2000,
        "extractor": "tiny",
        "convention": "ttur",
        "provenance": {"weights_sha256": "ab" * 32, "real": None},
        "notes": [HOSTILE],
    }
    scores = {"step": 1000, "checkpoint": "best", "reports": {HOSTILE: report}, "seconds": 250.1}
    (started / "scores.json").write_text(json.dumps(scores))
    return started


class Elements(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def test_a_page_needs_nothing_but_itself(finished: Path) -> None:
    text = page(finished)
    elements = Elements(text)
    assert not elements.all("script", "link", "iframe", "object", "base")
    references = [value or "" for _, a in elements.found for key, value in a.items() if key in ("src", "href", "xlink:href", "srcset")]
    assert references
    assert all(reference.startswith(("data:image/png;base64,", "#")) for reference in references)
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", text))
    assert "@import" not in text


def test_what_comes_from_files_never_becomes_markup(finished: Path) -> None:
    text = page(finished)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 6  # label, loss twice, two events, heading, note


def test_every_curve_is_well_formed_and_every_picture_has_words(finished: Path) -> None:
    text = page(finished)
    drawn = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(drawn) == 5  # two scores, coverage, two losses
    for svg in drawn:
        ElementTree.fromstring(svg.replace("<svg", '<svg xmlns:xlink="x"', 1))
    elements = Elements(text)
    assert all(picture["alt"] for picture in elements.all("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in elements.all("svg"))


def test_ids_are_unique_and_every_reference_inside_finds_one(finished: Path) -> None:
    text = page(finished)
    ids = [str(attributes["id"]) for _, attributes in Elements(text).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', text)) <= set(ids)


def test_the_same_files_give_the_same_page(finished: Path) -> None:
    first = page(finished)
    with matplotlib.rc_context({"lines.linewidth": 7, "font.size": 30}):  # a caller's style is no part of it
        assert page(finished) == first
        assert matplotlib.rcParams["font.size"] == 30
    assert write_page(finished).read_text(encoding="utf-8") == first


def test_final_scores_are_shown_with_what_they_need_to_be_believed(finished: Path) -> None:
    text = page(finished)
    for shown in ("12.3456 ± 0.4", "2,000 real", "2,000 fake", "ab" * 32, "extractor tiny", "ttur", "5 min 0 s", "lower is better"):
        assert shown in text


def test_drawing_leaves_pyplot_and_its_backend_alone(finished: Path) -> None:
    code = f"import sys, pathlib; from ganeval.pages.run import page; page(pathlib.Path({str(finished)!r})); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "matplotlib.figure" in loaded
    assert "matplotlib.pyplot" not in loaded


def test_a_run_that_has_only_begun_has_a_page(started: Path) -> None:
    text = page(started)
    assert "Not finished: step 0 of 3,000" in text
    assert "None yet" in text


def test_a_run_with_one_score_and_no_diversity_has_a_page(started: Path) -> None:
    write_lines(started / "scores.jsonl", score_line(0, 250.0, best=True, diversity={}))
    text = page(started)
    assert text.count("<svg") == 2
    assert "Diversity" not in text


def test_a_loss_that_is_no_number_leaves_a_gap(started: Path) -> None:
    values = [1.0, None, float("nan"), float("inf"), 2.0]
    write_lines(started / "losses.jsonl", *({"step": i, "seconds": i, "losses": {"a": v, "b": None}} for i, v in enumerate(values)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = page(started)
    assert text.count("<svg") == 2


def test_the_last_line_of_a_step_wins(started: Path) -> None:
    write_lines(started / "scores.jsonl", score_line(1000, 777.5), score_line(2000, 888.5), score_line(1000, 11.5), score_line(2000, 22.5))
    text = page(started)
    assert "777.5" not in text
    assert "888.5" not in text
    assert "11.5 at step 1,000, 22.5 at step 2,000" in text


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_last_line_that_a_crash_cut_is_ignored(started: Path, share: float) -> None:
    write_lines(started / "events.jsonl", {"step": 1, "kind": "resume", "message": "erst"})
    whole = page(started)
    line = json.dumps({"step": 2, "kind": "warning", "message": "später · 後で"}, ensure_ascii=False).encode()
    with (started / "events.jsonl").open("ab") as file:
        file.write(line[: max(1, int(len(line) * share))])
    assert page(started) == whole


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("losses.jsonl", '{"step": 50, "sec\n'),
        ("losses.jsonl", "\n"),
        ("losses.jsonl", "[]\n"),
        ("losses.jsonl", '{"step": 50, "seconds": 1, "losses": {"a": "high"}}\n'),
        ("losses.jsonl", '{"step": "50", "seconds": 1, "losses": {}}\n'),
        ("scores.jsonl", '{"step": 50, "seconds": 1, "scores": {"fd_tiny": 3.0}, "diversity": {}}\n'),
        ("scores.jsonl", '{"step": 50, "seconds": 1, "diversity": {}}'),
        ("events.jsonl", '{"step": 50, "kind": "nan"}\n'),
    ],
)
def test_other_damage_is_refused_with_file_and_line(finished: Path, name: str, damage: str) -> None:
    with (finished / name).open("a") as file:
        file.write(damage)
    number = len((finished / name).read_text().rstrip("\n").splitlines()) + (damage == "\n")
    with pytest.raises(InputError, match=rf"{name}, line {number} is damaged: "):
        page(finished)


@pytest.mark.parametrize("name", ["config.json", "scores.json"])
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": 3}', "\udcff"])
def test_damaged_json_is_refused_by_name(finished: Path, name: str, text: str) -> None:
    (finished / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=f"{name} is damaged: "):
        page(finished)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no config\.json"):
        page(tmp_path)


def test_a_sample_that_is_no_picture_is_refused_by_name(finished: Path) -> None:
    (finished / "samples" / "003000.png").write_bytes(b"half")
    with pytest.raises(InputError, match=r"003000\.png is no PNG"):
        page(finished)


def test_the_best_is_what_was_written_last_as_the_best_also_after_a_resumed_run_took_steps_again(finished: Path) -> None:
    again = [score_line(0, 250.0, best=True), score_line(1200, 12.0, best=True), score_line(1000, 11.5, best=True), score_line(1200, 12.5)]
    write_lines(finished / "scores.jsonl", *again)
    text = page(finished)
    assert "Best, step 1,000" in re.sub("<[^>]*>", "", text)
    assert "Best, step 1,200" not in re.sub("<[^>]*>", "", text)


def test_first_best_and_last_samples_are_large_and_those_left_out_are_counted(finished: Path) -> None:
    text = page(finished)
    assert re.findall(r"<b>(\w+)</b>, step ([\d,]+)", text) == [("First", "0"), ("Best", "1,000"), ("Last", "3,000")]
    assert len(Elements(text).all("img")) == 3 + MAX_STRIP
    assert f"{31 - 3 - MAX_STRIP} more grids were left out" in text


def test_large_samples_leave_less_room_for_the_others(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = max(path.stat().st_size for path in (finished / "samples").iterdir())
    monkeypatch.setattr(page_module, "MAX_BYTES", 5 * size)
    assert 3 < len(Elements(page(finished)).all("img")) <= 5


VALUES = st.none() | st.floats(-1e12, 1e12) | st.floats(1e-12, 1e12)


@settings(max_examples=30)  # a quarter of a second each
@given(values=st.lists(st.tuples(VALUES, st.none() | st.floats(0, 1e6)), min_size=1, max_size=2 * MAX_POINTS), shares=st.booleans())
def test_any_values_can_be_drawn_and_take_bounded_room(values: list[tuple[float | None, float | None]], shares: bool) -> None:
    points = [Point.of(step, value, spread) for step, (value, spread) in enumerate(values)]
    scale: Scale = "from zero" if shares else "log" if spans_magnitudes(points) else "linear"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = curve(points, last_step=len(values) - 1, events=[0], best=0, scale=scale, label="loss")
    assert svg.startswith("<svg ")
    assert len(svg) < 100_000


def test_positive_values_of_different_magnitudes_are_drawn_on_a_logarithmic_axis(started: Path) -> None:
    lines = [score_line(step, value) for step, value in enumerate([300.0, 40.0, 5.0])]
    write_lines(started / "scores.jsonl", *lines)
    assert page(started).count("log scale") == 1
    write_lines(started / "scores.jsonl", *lines, score_line(3, 0.0))
    assert "log scale" not in page(started)
