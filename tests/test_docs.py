"""The documentation names what there is: pages, headings, commands, options, and all public names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

import ganeval
from ganeval.cli import main
from pages import ROOT, anchors, blocks, code_words, commands, links, pages, title, translations

LINKED = [*pages(), *translations(), ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", ROOT / "models" / "README.md"]
STANDS_FOR = {"MODEL": "dcgan", "hinge": "dcgan"}  # the latter is examples/eighth_model, once it is installed
FOREIGN = {  # options of other programs
    "--nproc-per-node",
    "--nnodes",
    "--no-deps",
    "--only-test",
    "--draws",
    "--netG",
    "--selected_attrs",
    "--norm",
    "--no_dropout",
}


@pytest.mark.parametrize("page", LINKED, ids=title)
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page if not path else page.parent / path
        if "://" in link or link.startswith("mailto:"):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("page", LINKED, ids=title)
def test_every_command_and_option_exists(page: Path) -> None:
    shell = [block.code for block in blocks(page) if block.language == "sh"]
    words = [word for word in code_words(page) if word.startswith("ganeval ") and not any(sign in word for sign in "…<>")]
    unknown = [word for code in (*shell, *words) for arguments in commands(code) for word in _unknown(arguments)]
    lone = [word.split()[0].split("=")[0] for word in code_words(page) if word.startswith("--")]
    assert unknown + [word for word in lone if word not in _options() | FOREIGN] == []


def test_every_public_name_is_in_the_documentation() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    assert [name for name in ganeval.__all__ if name not in text] == []


def test_every_page_is_linked_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert [title(page) for page in pages() if page.name != "README.md" and page not in linked] == []


def _unknown(arguments: list[str]) -> list[str]:
    """The command or the options in them that do not exist."""
    command: click.Command = main
    for word in arguments:
        if not isinstance(command, click.Group):
            break
        if word.startswith("-"):
            continue
        if word == "COMMAND":
            return []
        name = STANDS_FOR.get(word, word)
        if name not in command.list_commands(click.Context(command)):
            return [word]
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    options = {"--help", "-h", *(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))}
    return [word for word in arguments if word.startswith("-") and word.split("=")[0] not in options and not _is_number(word)]


def _is_number(word: str) -> bool:
    return word.lstrip("-").replace(".", "").replace(",", "").isdigit()  # or a range, -1,1


@cache
def _options() -> set[str]:
    """Of all commands."""
    return {"--help", *(name for parameter in _parameters(main) for name in (*parameter.opts, *parameter.secondary_opts))}


def _parameters(command: click.Command) -> Iterator[click.Parameter]:
    yield from command.params
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from _parameters(inner)
