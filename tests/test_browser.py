"""Pages as a browser shows them: on a phone and on a desk, by day and by night, in every language. Skipped where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_page import finished, started

from ganeval import evaluate
from ganeval.doctor.finding import Finding
from ganeval.explanation import explain
from ganeval.pages.explained import write_explanation
from ganeval.pages.language import languages
from ganeval.pages.run import write_page
from pictures import pictures, save_all

__all__ = ["finished", "started"]  # fixtures

sync_api = pytest.importorskip("playwright.sync_api")
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"), pytest.mark.usefixtures("one_thread")]
LONG = "a-folder-of-a-very-long-name-without-any-place-to-break-it-as-people-have-them-0123456789"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders of two classes each, one with a very long name."""
    root = tmp_path_factory.mktemp("pages")
    for i, (side, name) in enumerate((side, name) for side in ("real", "fake") for name in ("cat", LONG)):
        save_all(pictures(15, (32, 32), skip=15 * i), root / side / name)
    return root / "real", root / "fake"


def noted(seen: Page, said: list[str], asked: list[str]) -> None:
    """Messages and errors go to `said`, addresses to `asked`."""
    seen.on("console", lambda message: said.append(message.text))
    seen.on("pageerror", lambda error: said.append(str(error)))
    seen.on("request", lambda request: asked.append(request.url))


def look(browser: Browser, page: Path) -> None:
    """Everything that a browser can say of a page without a person."""
    address = page.resolve().as_uri()
    for width in (360, 1440):
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            seen = context.new_page()
            said: list[str] = []
            asked: list[str] = []
            noted(seen, said, asked)
            seen.goto(address)
            seen.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            where = f"{page.name} at {width} px, {scheme}"
            assert said == [], where
            assert [url for url in asked if url != address and not url.startswith("data:")] == [], where
            wide = seen.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{where} is {wide} px wide"
            images = seen.evaluate("[...document.images].map(one => one.naturalWidth * one.clientWidth)")
            assert images, where
            assert min(images) > 0, where
            smallest = seen.evaluate(
                "Math.min(...[...document.querySelectorAll('p, td, th, figcaption')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
            )
            assert smallest >= 12, where
            context.close()


@pytest.mark.parametrize("lang", languages())
def test_the_page_of_one_score(lang: str, browser: Browser, sides: tuple[Path, Path], tmp_path: Path) -> None:
    finding = Finding(
        check="x", severity="wrong", where="fake", sentence="twice", remedy="once", count=2, files=(f"{LONG}.png",), shift=1.0
    )
    evaluate(*sides, extractor="tiny", page=tmp_path / "fid.html", lang=lang, findings=[finding])
    look(browser, tmp_path / "fid.html")


@pytest.mark.slow
@pytest.mark.parametrize("lang", languages())
def test_the_page_of_many_scores(lang: str, browser: Browser, sides: tuple[Path, Path], tmp_path: Path) -> None:
    names = ("fid", "is", "kid", "intra_fid", "density", "vendi")
    evaluate(*sides, extractor="tiny", metrics=names, subset_size=20, page=tmp_path / "all.html", lang=lang)
    look(browser, tmp_path / "all.html")


@pytest.mark.parametrize("lang", languages())
def test_the_page_of_a_run(lang: str, browser: Browser, finished: Path) -> None:
    look(browser, write_page(finished, lang=lang))


@pytest.mark.slow
@pytest.mark.parametrize("lang", languages())
def test_the_page_of_an_explanation(lang: str, browser: Browser, sides: tuple[Path, Path], tmp_path: Path) -> None:
    found = explain(*sides, extractor="tiny")
    look(browser, write_explanation(found, tmp_path / "out", lang=lang, num_shown=8))
