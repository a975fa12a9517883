"""ganeval extractors, conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ganeval.conventions import CONVENTIONS, DEFAULT, Convention

if TYPE_CHECKING:
    from ganeval.metrics import Metric


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """A table on standard output, as wide as the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")  # a path or digest that is cut is of no use
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False)
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

    inception = local_copy(WEIGHTS["inception"])
    about = {
        "inception": ("2048", "FID and IS: Inception-v3 of 2015-12-05"),
        "inception-768": ("768", "the same network, features of Mixed_6e"),
        "inception-192": ("192", "the same, after the second max pool"),
        "inception-64": ("64", "the same, after the first max pool"),
        "tiny": ("256", "embedded: small pictures, no download; scores are fd_tiny and is_tiny"),
    }
    rows = []
    for name, entry in sorted(available().items()):
        dim, what = about.get(name, ("", f"of another package: {entry.value}"))
        state = "embedded" if name == "tiny" else "" if name not in about else str(inception or "not here: ganeval weights fetch")
        rows.append([name, dim, what, state])
    print_table(["extractor", "features", "what", "weights"], rows)


@click.command()
def metrics() -> None:
    """What can be computed, from what, and whose numbers it equals."""
    from ganeval.metrics import METRICS

    rows = [
        [key, metric.title, metric.better, _sets(metric), metric.network, metric.sees, metric.source, metric.equals]
        for key, metric in METRICS.items()
    ]
    print_table(["metric", "what", "better", "needs", "network", "sees", "paper", "equals"], rows)
    click.echo("\nOn another network X a score is called <metric>_X, and fid fd_X: fd_tiny, precision_vgg16, kd_clip.")
    click.echo(
        "Every score comes with a standard error over draws of fakes; `ganeval evaluate --metrics all` computes what the sets allow."
    )


def _sets(metric: Metric) -> str:
    """What one has to give: the sides in words, and whether stats suffice."""
    sides = [f"stats of {label}" if needs == {"stats"} else label for label, needs in metric.needs.items()]
    return ", ".join(sides) + (", in classes" if any("classes" in needs for needs in metric.needs.values()) else "")
