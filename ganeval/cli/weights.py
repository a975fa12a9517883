"""ganeval weights list, fetch, import, path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganeval.cli.completion import one_of, weights_names
from ganeval.cli.options import quiet_option, shown_progress

if TYPE_CHECKING:
    from ganeval.weights import WeightsFile


@click.group()
def weights() -> None:
    """Published network weights: see, fetch, bring in by hand."""


name_argument = click.argument("name", default="inception", shell_complete=one_of(weights_names))


@weights.command("list")
def list_() -> None:
    """What there is, and what is on this machine."""
    from ganeval.weights import WEIGHTS, home_of, local_copy

    for item in WEIGHTS.values():
        here = local_copy(item)
        click.echo(f"{item.name}: {item.about}")
        click.echo(f"  file    {item.filename}{'' if item.size is None else f', {item.size:,} bytes'}")
        click.echo(f"  sha256  {item.sha256}")
        click.echo(f"  where   {here or f'not on this machine; belongs at {home_of(item)}'}")
        for url in item.urls:
            click.echo(f"  from    {url}")


@weights.command()
@name_argument
@click.option("--mirror", "mirrors", multiple=True, metavar="URL", help="Base URL to try first; may be given several times.")
@quiet_option
def fetch(name: str, mirrors: tuple[str, ...], quiet: bool) -> None:
    """Download weights, verify them, and print where they are. A broken download is continued."""
    from ganeval import weights as published

    click.echo(published.fetch(_named(name), mirrors=mirrors, progress=shown_progress(quiet)))


@weights.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Take in a published file that was fetched elsewhere; it is known by its sha256."""
    from ganeval import weights as published

    item, home = published.import_file(file)
    click.echo(f"{item.name}: {home}")


@weights.command()
@name_argument
def path(name: str) -> None:
    """Print where the verified file is; exit with 1 if it is not on this machine."""
    from ganeval import weights as published

    item = _named(name)
    here = published.local_copy(item)
    if here is None:
        raise click.ClickException(
            f"{item.filename} is not on this machine; run `ganeval weights fetch {name}`, or put it at {published.home_of(item)}"
        )
    click.echo(here)


def _named(name: str) -> WeightsFile:
    from ganeval.errors import InputError, nearest
    from ganeval.weights import WEIGHTS

    if name not in WEIGHTS:
        raise InputError(f"no weights are called {name!r}; {nearest(name, WEIGHTS)}")
    return WEIGHTS[name]
