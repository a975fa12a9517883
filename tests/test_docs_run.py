"""Every block of code in the documentation runs: a page from top to bottom, in an empty folder, offline, without weights.

A test is a page, because its blocks build on each other (libraries for this make each block a test, which several processes take apart).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from pages import NOTEBOOK, ROOT, Block, blocks, cells, original, pages, title, translations

OFFLINE = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),  # nobody listens there
    "HF_HUB_OFFLINE": "1",
}
QUICK = {"docs/extending.md"}  # run with the quick tests: seconds
SHOWN = {"", "text", "toml", "bibtex"}  # output and files, not code


RUN = [pytest.param(page, id=title(page), marks=() if title(page) in QUICK else pytest.mark.slow) for page in (*pages(), NOTEBOOK)]


@pytest.mark.parametrize("page", RUN)
def test_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "page"
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MPLBACKEND", "agg")  # figures of the notebook
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GANEVAL_CACHE_SIZE")  # set for the other tests
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # dataclasses look their module up
    for block in blocks(page):
        if block.reason is None and block.language == "sh":
            _in_shell(block, page)
        elif block.reason is None and block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.code, page, "exec"), vars(module))


def _in_shell(block: Block, page: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False
    )
    assert done.returncode == 0, (
        f"{title(page)}, line {block.line}: exit status {done.returncode}\n{block.code}\n{done.stdout}\n{done.stderr}"
    )


@pytest.mark.parametrize("page", pages(), ids=title)
def test_no_code_escapes_the_runner(page: Path) -> None:
    odd = [(block.line, block.language) for block in blocks(page) if block.language not in {"sh", "python", *SHOWN}]
    assert odd == [], "lines and languages of blocks that nothing runs; fence them as sh or python"
    unneeded = [block.line for block in blocks(page) if block.reason is not None and block.language not in {"sh", "python"}]
    assert unneeded == [], "blocks that would not run anyway"


@pytest.mark.parametrize("page", translations(), ids=title)
def test_a_translation_has_the_blocks_of_its_original(page: Path) -> None:
    """So it needs no second run."""
    assert [(block.language, block.code) for block in blocks(page)] == [(block.language, block.code) for block in blocks(original(page))]


def test_the_notebook_holds_no_output() -> None:
    assert [cell for cell in cells(NOTEBOOK) if cell["outputs"] or cell["execution_count"] is not None] == []
    assert blocks(NOTEBOOK)[0].reason == "it installs"
