"""ganeval fid, is, evaluate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ganeval.cli.options import network_options, quiet_option, shown_progress

F = TypeVar("F", bound=Callable[..., Any])

real_argument = click.argument("real")
fake_argument = click.argument("fake")
sqrtm_option = click.option("--sqrtm", is_flag=True, help="Take the matrix root by scipy.linalg.sqrtm, as the original definition.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of the table.")


spread_option = click.option(
    "--spread/--no-spread", default=None, help="Standard errors.  [default: those that cost less than a tenth of the run]"
)


def splits_options(command: F) -> F:
    """How the Inception Score is split."""
    seed = click.option("--seed", default=2020, show_default=True, help="Of shuffles, subsets and k-means.")
    splits = click.option("--num-splits", type=click.IntRange(min=1), help="Of the Inception Score.  [default: 10]")
    return seed(splits(command))


def subsets_options(command: F) -> F:
    """What KID is averaged over."""
    number = click.option("--num-subsets", type=click.IntRange(min=1), default=100, show_default=True, help="Of KID.")
    size = click.option("--subset-size", type=click.IntRange(min=2), default=1000, show_default=True, help="Images in a subset of KID.")
    return number(size(command))


@click.command()
@real_argument
@fake_argument
@network_options
@sqrtm_option
@spread_option
@json_option
@quiet_option
def fid(real: str, fake: str, **options: Any) -> None:
    """Fréchet Inception Distance between REAL and FAKE (lower is better).

    REAL and FAKE are sets of images, files of stats (.npz), or names of reference stats (`ganeval stats list`).
    """
    _score(real, fake, metrics=("fid",), **options)


@click.command("is")
@fake_argument
@network_options
@splits_options
@spread_option
@json_option
@quiet_option
def inception_score(fake: str, **options: Any) -> None:
    """Inception Score of FAKE, mean ± spread over splits (higher is better)."""
    _score(None, fake, metrics=("is",), **options)


@click.command()
@real_argument
@fake_argument
@click.option("--metrics", default="fid,is", show_default=True, help="Comma-separated, or all; see `ganeval metrics`.")
@click.option("--held-out", metavar="IMAGES", help="Real images that the generator was not trained on, for ct and fld.")
@network_options
@splits_options
@subsets_options
@sqrtm_option
@spread_option
@json_option
@quiet_option
def evaluate(real: str, fake: str, metrics: str, **options: Any) -> None:
    """Several metrics of FAKE against REAL, from one pass over the images.

    A metric on another network is named with it: fd_tiny, precision_vgg16, kd_clip. Folders within REAL and FAKE are classes.
    """
    _score(real, fake, metrics=tuple(name.strip() for name in metrics.split(",") if name.strip()), **options)


def _score(real: str | None, fake: str, *, as_json: bool, quiet: bool, sqrtm: bool = False, **options: Any) -> None:
    from ganeval.evaluator import evaluate as evaluated

    method = "sqrtm" if sqrtm else "symmetric"
    report = evaluated(real, fake, method=method, progress=shown_progress(quiet), **options)
    click.echo(report.to_json() if as_json else str(report))
