"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from ganeval.cli.completion import extractor_names, one_of
from ganeval.conventions import CONVENTIONS, DEFAULT
from ganeval.progress import Progress, bars, lines, silent

F = TypeVar("F", bound=Callable[..., Any])


class NetworkOptions(TypedDict):
    extractor: str | None
    convention: str
    weights: Path | None
    device: str | None
    batch_size: int
    skip_bad: bool
    cache: bool


def network_options(command: F) -> F:
    """How features are made."""
    for option in reversed(
        (
            click.option(
                "--extractor",
                metavar="NAME",
                shell_complete=one_of(extractor_names),
                help="Network; see `ganeval extractors`.  [default: the metric's own]",
            ),
            click.option(
                "--convention",
                type=click.Choice(list(CONVENTIONS)),
                default=DEFAULT,
                show_default=True,
                help="Whose numbers to reproduce; see `ganeval conventions`.",
            ),
            click.option(
                "--weights",
                type=click.Path(path_type=Path),
                help="State dict to use instead of the published weights; the scores are then marked as not standard.",
            ),
            click.option("--device", help="cpu, cuda, cuda:1 or mps.  [default: cuda if there is one, else cpu]"),
            click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Images per forward pass."),
            click.option("--skip-bad", is_flag=True, help="Leave out pictures that cannot be read, and say how many, instead of failing."),
            click.option(
                "--cache/--no-cache",
                default=True,
                help="Keep what the networks make of image files, and look there first; see `ganeval cache info`.  [default: on]",
            ),
        )
    ):
        command = option(command)
    return command


quiet_option = click.option("--quiet", is_flag=True, help="No progress.")


def shown_progress(quiet: bool) -> Progress:
    """Bars for people, lines for pipes and logs."""
    return silent if quiet else bars if sys.stderr.isatty() else lines
