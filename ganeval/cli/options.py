"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from ganeval.conventions import CONVENTIONS, DEFAULT
from ganeval.progress import Progress, bars, silent

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
            click.option("--extractor", metavar="NAME", help="Network; see `ganeval extractors`.  [default: the metric's own]"),
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


report_option = click.option(
    "--report",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an HTML page too, with pictures, feature space and provenance; it needs nothing else.",
)
lang_option = click.option("--lang", default="en", show_default=True, help="Language of the page: en, vi.")


def page_options(command: F) -> F:
    """A page beside the table."""
    return report_option(lang_option(command))


quiet_option = click.option("--quiet", is_flag=True, help="No progress bars.")


def shown_progress(quiet: bool) -> Progress:
    """Bars for people, nothing for pipes and logs."""
    return bars if sys.stderr.isatty() and not quiet else silent
