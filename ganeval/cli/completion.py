"""ganeval completion, and what the arguments complete to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(ctx: click.Context, shell: str | None) -> None:
    """Print what makes the Tab key complete commands, options, names and files in SHELL; that of $SHELL where none is given.

    Put the first line of the examples into ~/.bashrc; likewise with zsh into ~/.zshrc.
    """
    from ganeval.errors import InputError

    shell = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(shell) if shell in SHELLS else None
    if kind is None:
        raise InputError(f"completion is not known for the shell {shell!r}; give one of {', '.join(SHELLS)}")
    click.echo(kind(ctx.find_root().command, {}, "ganeval", "_GANEVAL_COMPLETE").source())


def one_of(names: Callable[[], Iterable[str]], *, also_files: bool = False) -> Complete:
    """Completes to these names; they are looked up when the key is pressed."""

    def complete(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in names() if name.startswith(typed)] if typed or not also_files else []
        return found or ([CompletionItem(typed, type="file")] if also_files else [])

    return complete


def some_of(names: Callable[[], Iterable[str]]) -> Complete:
    """Completes the last name of a comma-separated list."""

    def complete(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        before, comma, last = typed.rpartition(",")
        chosen = before.split(",")
        return [CompletionItem(f"{before}{comma}{name}") for name in names() if name.startswith(last) and name not in chosen]

    return complete


def extractor_names() -> Iterable[str]:
    from ganeval.extractors import available

    return sorted(available())


def metric_names() -> Iterable[str]:
    from ganeval.metrics import METRICS

    return [*METRICS, "all"]


def reference_names() -> Iterable[str]:
    from ganeval.catalog import listed

    return list(listed())


def weights_names() -> Iterable[str]:
    from ganeval.weights import WEIGHTS

    return list(WEIGHTS)


def model_names() -> Iterable[str]:
    from ganeval.training.models import available

    return list(available())


def data_names() -> Iterable[str]:
    from ganeval.training.datasets import names

    return list(names())
