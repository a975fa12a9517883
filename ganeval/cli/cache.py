"""ganeval cache info, clear."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ganeval.cli.tables import print_table


@click.group()
def cache() -> None:
    """What networks made of image files, kept so that the same files are not worked through again."""


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of the table.")
def info(as_json: bool) -> None:
    """Where it is, how large it is and may become, and what it holds."""
    from ganeval.cache.store import Store

    store = Store()
    held = {name: asdict(one) for name, one in store.held().items()}
    about = {"folder": str(store.folder), "bytes": store.num_bytes, "bound": store.bound, "networks": held}
    if as_json:
        click.echo(json.dumps(about, ensure_ascii=False))
        return
    click.echo(f"folder  {store.folder}  (GANEVAL_HOME moves it)")
    click.echo(f"size    {_size(store.num_bytes)} of at most {_size(store.bound)}  (GANEVAL_CACHE_SIZE changes it)\n")
    rows = [[name, f"{one['sets']:,}", f"{one['images']:,}", _size(one["num_bytes"])] for name, one in held.items()]
    print_table(["network", "sets", "images", "size"], rows)


@cache.command()
def clear() -> None:
    """Remove all of it."""
    from ganeval.cache.store import Store

    store = Store()
    size = store.num_bytes
    store.clear()
    click.echo(f"{_size(size)} removed from {store.folder}")


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:,.1f} MiB"
