"""The pages of the documentation, taken apart: blocks of code, links, headings, names in code."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "quickstart.ipynb"
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+) -->\s*$")


@dataclass(frozen=True)
class Block:
    language: str  # as the fence says it: sh, python; "indented" for one of four spaces
    code: str
    line: int  # of its first line of code, from 1
    reason: str | None  # why it is not run


def pages() -> list[Path]:
    """README and docs/, in English; translations hold the same blocks."""
    return [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if not is_translation(page)]


def translations() -> list[Path]:
    return [ROOT / "README.vi.md", *sorted((ROOT / "docs" / "vi").rglob("*.md"))]


def is_translation(page: Path) -> bool:
    return page.is_relative_to(ROOT / "docs" / "vi") or page.name.endswith(".vi.md")


def original(translation: Path) -> Path:
    """docs/vi/quickstart.md → docs/quickstart.md."""
    if translation.parent == ROOT:
        return ROOT / translation.name.replace(".vi.", ".")
    return ROOT / "docs" / translation.relative_to(ROOT / "docs" / "vi")


def title(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """All code that stands by itself, from top to bottom."""
    if page.suffix == ".ipynb":
        return _cells(page)
    found, before = [], ""
    for token in _tokens(page):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            reason = NOT_RUN.search(before)
            language = token.info.strip() if token.type == "fence" else "indented"
            line = token.map[0] + (2 if token.type == "fence" else 1)
            found.append(Block(language, token.content, line, reason and reason["reason"]))
        before = token.content if token.type == "html_block" else ""
    return found


def links(page: Path) -> Iterator[str]:
    """Of links and pictures, as they are written: headings of translations have letters beyond ASCII."""
    for token in _inline(page):
        target = token.attrGet("href") or token.attrGet("src")
        if target:
            yield unquote(str(target))


def anchors(page: Path) -> set[str]:
    """What `#…` may lead to in this page: its headings, as GitHub and GitLab name them."""
    tokens = _tokens(page)
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_words(page: Path) -> list[str]:
    """What stands in `…` within the text."""
    return [token.content for token in _inline(page) if token.type == "code_inline"]


def commands(code: str) -> Iterator[list[str]]:
    """The arguments of each `ganeval …` in shell code, in pipes and after && too."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        words.commenters = "#"
        part: list[str] = []
        for word in [*words, ";"]:
            if not set(word) <= set("();<>|&"):
                part.append(word)
                continue
            if "ganeval" in part and (part[0] in ("ganeval", "!") or "-m" in part):
                yield part[part.index("ganeval") + 1 :]
            part = []


def cells(notebook: Path) -> list[dict[str, Any]]:
    """Those with code."""
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def _cells(notebook: Path) -> list[Block]:
    """A cell is Python, or each of its lines a command after "!"."""
    found = []
    for cell in cells(notebook):
        code = "".join(cell["source"])
        reason = "it installs" if "install" in cell["metadata"].get("tags", ()) else None
        shell = code.startswith("!")
        found.append(Block("sh" if shell else "python", re.sub("^!", "", code, flags=re.MULTILINE) if shell else code, 1, reason))
    return found


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()
