"""ganeval stats compute, show, merge, list, fetch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ganeval.cli.completion import one_of, reference_names
from ganeval.cli.options import network_options, quiet_option, shown_progress
from ganeval.cli.tables import print_table

output_option = click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .npz to write.")


@click.group()
def stats() -> None:
    """Reference stats: compute once, score many times; readable by pytorch-fid and TTUR too."""


@stats.command()
@click.argument("images")
@output_option
@network_options
@click.option(
    "--shard", metavar="I/N", help="Only part I of N, from 1/N to N/N, for a job array; `ganeval stats merge` puts them together."
)
@quiet_option
def compute(images: str, output: Path, shard: str | None, quiet: bool, device: str | None, **options: Any) -> None:
    """Stats of IMAGES, written to an .npz with all that they were made with."""
    from ganeval.evaluator import reference_of
    from ganeval.reference import check_target
    from ganeval.shards import shard_named
    from ganeval.team import team

    with team(device) as (here, own_device):
        options |= {"shard": shard_named(shard) if shard else None, "device": own_device, "team": here}
        check_target(output)
        reference = reference_of(images, progress=shown_progress(quiet or not here.is_first), **options)
        reference.save(output)
        click.echo(f"{output}: {reference.stats.count:,} images, {reference.stats.dim:,} features")


@stats.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """What a file of stats holds and what it was made with."""
    from ganeval.reference import load_reference
    from ganeval.shards import in_words

    reference = load_reference(file)
    about = {
        "file": str(file),
        "sha256": reference.sha256,
        "images": reference.stats.count,
        "features": reference.stats.dim,
        "of": "all the images it was computed from" if reference.shard is None else in_words(reference.shard),
        "trace of the covariance": float(reference.stats.covariance.trace()),
        "made with": reference.made_with or "not stated in the file",
    }
    click.echo(json.dumps(about, indent=2, ensure_ascii=False))


@stats.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
def merge(files: tuple[Path, ...], output: Path) -> None:
    """Add up stats of parts of a set: the result is that of the whole set. Of shards all must be there."""
    from ganeval.reference import check_target, load_reference, merged

    check_target(output)
    total = merged([load_reference(file) for file in files])
    total.save(output)
    click.echo(f"{output}: {total.stats.count:,} images, {total.stats.dim:,} features")


@stats.command("list")
def list_() -> None:
    """Reference stats by name: those that come with ganeval, and public ones."""
    from ganeval.catalog import listed

    rows = [
        [entry.name, entry.extractor, entry.convention, "here" if entry.path.exists() else "ganeval stats fetch", entry.about]
        for entry in listed().values()
    ]
    print_table(["name", "extractor", "convention", "where", "what"], rows)


@stats.command()
@click.argument("name", shell_complete=one_of(reference_names))
@quiet_option
def fetch(name: str, quiet: bool) -> None:
    """Download public reference stats; afterwards NAME can stand for REAL."""
    from ganeval import catalog
    from ganeval.files import sha256_of

    path = catalog.fetch(name, progress=shown_progress(quiet))
    click.echo(f"{path}  sha256 {sha256_of(path)}")
