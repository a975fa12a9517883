"""ganeval extractors, conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ganeval.cli.completion import metric_names, one_of
from ganeval.conventions import CONVENTIONS, DEFAULT, Convention
from ganeval.errors import InputError, nearest, printable, shown

if TYPE_CHECKING:
    from ganeval.metrics import Metric


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """A table on standard output, as wide as the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(printable(column), overflow="fold")  # a path or digest that is cut is of no use
    for row in rows:
        table.add_row(*map(shown, row))
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 140
    console.print(table)


def _is_rules(convention: Convention) -> str:
    bias = "with" if convention.logits_bias else "no"
    return f"{convention.is_order}, {convention.is_num_splits} splits, ddof {convention.is_spread_ddof}, {bias} bias"


@click.command()
def conventions() -> None:
    """What the tools do differently, and whose numbers each convention reproduces."""
    rows = [
        [
            convention.name + (" (default)" if convention.name == DEFAULT else ""),
            convention.resize,
            convention.normalization,
            _is_rules(convention),
            convention.equals,
            convention.source,
        ]
        for convention in CONVENTIONS.values()
    ]
    print_table(["convention", "resize to 299", "normalization", "Inception Score", "equals", "source"], rows)
    click.echo("\nAll: covariance / (N − 1), mean and covariance in float64, images in float32 and not rounded after the resize.")


@click.command()
def extractors() -> None:
    """Networks to score with, and whether their weights are here."""
    from ganeval.extractors import available
    from ganeval.weights import WEIGHTS, local_copy

    about = {
        "inception": ("2048", "FID and IS: Inception-v3 of 2015-12-05", "inception"),
        "inception-768": ("768", "the same network, features of Mixed_6e", "inception"),
        "inception-192": ("192", "the same, after the second max pool", "inception"),
        "inception-64": ("64", "the same, after the first max pool", "inception"),
        "vgg16": ("4096", "precision and recall: VGG16, second fully connected layer", "vgg16"),
        "dinov2": ("1024", "FD-DINOv2: ViT-L/14, class token", "dinov2"),
        "dinov2-b": ("768", "the same, ViT-B/14", "dinov2-b"),
        "dinov2-s": ("384", "the same, ViT-S/14", "dinov2-s"),
        "clip": ("512", "CLIP-FID: ViT-B/32, embeddings", "clip"),
        "clip-l-336": ("768", "CMMD: CLIP ViT-L/14 at 336 pixels, embeddings", "clip-l-336"),
        "tiny": ("256", "embedded: small pictures, no download; scores are fd_tiny and is_tiny", None),
    }
    where: dict[str | None, str] = {None: "embedded"}
    for key, item in WEIGHTS.items():
        where[key] = str(local_copy(item) or f"not here: ganeval weights fetch {key}")
    rows = []
    for name, entry in sorted(available().items()):
        dim, what, weights = about.get(name, ("", f"of another package: {entry.value}", ""))
        rows.append([name, dim, what, where.get(weights, "")])
    print_table(["extractor", "features", "what", "weights"], rows)


@click.command()
@click.argument("name", required=False, shell_complete=one_of(metric_names))
def metrics(name: str | None) -> None:
    """What can be computed, from what, and whose numbers it equals; with NAME, all about that one."""
    from ganeval.metrics import METRICS

    if name is not None:
        if name not in METRICS:
            raise InputError(f"no metric is called {name!r}; {nearest(name, METRICS)}")
        print_table(["", name], [[what, text] for what, text in _about(METRICS[name]).items()])
        return
    columns = ["better", "needs", "of", "paper", "equals"]
    rows = [[key, *(_about(metric)[column] for column in columns)] for key, metric in METRICS.items()]
    print_table(["metric", *columns], rows)
    click.echo("\nOn another network X a score is called <metric>_X, and fid fd_X: fd_tiny, precision_vgg16, kd_clip.")
    click.echo("Each comes with a standard error. `ganeval metrics NAME` says more of one, `--metrics all` computes what the sets allow.")


def _about(metric: Metric) -> dict[str, str]:
    # A file of stats is enough where nothing else is needed of a side.
    sides = [f"{label} or stats" if needs == {"stats"} else label for label, needs in metric.needs.items()]
    return {
        "what": metric.title,
        "better": metric.better,
        "needs": ", ".join(sides) + (", in classes" if any("classes" in needs for needs in metric.needs.values()) else ""),
        "of": metric.network,
        "sees": metric.sees,
        "paper": metric.source,
        "equals": metric.equals,
    }
