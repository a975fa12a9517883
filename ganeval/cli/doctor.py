"""ganeval doctor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ganeval.cli.options import SEED, quiet_option, shown_progress
from ganeval.cli.score import images_or_stats, json_option, real_argument
from ganeval.conventions import CONVENTIONS, DEFAULT

ILL = 3  # the exit status where something is wrong or doubtful: 1 is an error, 2 a mistake in the command


@click.command()
@real_argument
@click.argument("fake", required=False, shell_complete=images_or_stats)
@click.option("--sample", type=click.IntRange(min=2), default=2000, show_default=True, help="Pictures of each side to look at.")
@click.option("--seed", type=SEED, default=2020, show_default=True, help="Of the choice of the sample.")
@click.option("--measure/--no-measure", default=True, help="How far each finding moves the score, on the sample.  [default: on]")
@click.option("--extractor", metavar="NAME", help="Network to measure with; see `ganeval extractors`.  [default: tiny]")
@click.option("--weights", type=click.Path(path_type=Path), help="State dict to use instead of the published weights.")
@click.option(
    "--convention", type=click.Choice(list(CONVENTIONS)), default=DEFAULT, show_default=True, help="With which the images are to be scored."
)
@click.option("--device", help="cpu, cuda, cuda:1 or mps.  [default: cuda if there is one, else cpu]")
@json_option
@quiet_option
def doctor(real: str, fake: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """What is wrong with the images of REAL and FAKE, or of one set alone, before a score of them is trusted.

    \b
    Exit status: 0  nothing wrong or doubtful
                 1  the images cannot be opened
                 2  a mistake in the command
                 3  something is wrong or doubtful
    """
    from ganeval.doctor.diagnosis import diagnose

    found = diagnose(real, fake, progress=shown_progress(quiet), **options)
    click.echo(found.to_json() if as_json else str(found))
    if not found.healthy:
        sys.exit(ILL)
