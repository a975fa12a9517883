"""ganeval fid, is, evaluate."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ganeval.cli.completion import metric_names, one_of, reference_names, some_of
from ganeval.cli.options import SEED, generator_options, network_options, opened_fake, page_options, quiet_option, shown_progress
from ganeval.cli.tables import print_table
from ganeval.errors import InputError

if TYPE_CHECKING:
    from ganeval.disagreement import Disagreement
    from ganeval.doctor.finding import Finding
    from ganeval.progress import Progress
    from ganeval.report import Report

F = TypeVar("F", bound=Callable[..., Any])
LOOKED_AT = 1000  # images of each side that the doctor sees for a page
GENERATOR = ("num_images", "z_dim", "z_seed", "value_range", "trust")  # what `generator_options` gives

images_or_stats = one_of(reference_names, also_files=True)
real_argument = click.argument("real", shell_complete=images_or_stats)
fake_argument = click.argument("fake", shell_complete=images_or_stats)
sqrtm_option = click.option("--sqrtm", is_flag=True, help="Take the matrix root by scipy.linalg.sqrtm, as the original definition.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of the table.")


spread_option = click.option(
    "--spread/--no-spread", default=None, help="Standard errors.  [default: those that cost less than a tenth of the run]"
)


def splits_options(command: F) -> F:
    """How the Inception Score is split."""
    seed = click.option("--seed", type=SEED, default=2020, show_default=True, help="Of shuffles, subsets and k-means.")
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
@generator_options
@sqrtm_option
@spread_option
@page_options
@json_option
@quiet_option
def fid(real: str, fake: str, **options: Any) -> None:
    """Fréchet Inception Distance between REAL and FAKE (lower is better).

    REAL and FAKE are sets of images, files of stats (.npz), or names of reference stats (`ganeval stats list`). FAKE may also be a
    generator in a file, which draws its images meanwhile.
    """
    _score(real, fake, metrics=("fid",), **options)


@click.command("is")
@fake_argument
@network_options
@generator_options
@splits_options
@spread_option
@page_options
@json_option
@quiet_option
def inception_score(fake: str, **options: Any) -> None:
    """Inception Score of FAKE, mean ± spread over splits (higher is better)."""
    _score(None, fake, metrics=("is",), **options)


@click.command()
@real_argument
@fake_argument
@click.option(
    "--metrics",
    default="fid,is",
    show_default=True,
    shell_complete=some_of(metric_names),
    help="Comma-separated, or all; see `ganeval metrics`.",
)
@click.option("--conventions", type=click.Choice(["all"]), help="FID and IS as every tool would have them, from one decode.")
@click.option("--published", type=float, help="With --conventions: an FID that somebody reports for these images; which tool is it of?")
@click.option("--held-out", metavar="IMAGES", help="Real images that the generator was not trained on, for ct and fld.")
@network_options
@generator_options
@splits_options
@subsets_options
@sqrtm_option
@spread_option
@page_options
@json_option
@quiet_option
def evaluate(real: str, fake: str, metrics: str, conventions: str | None, published: float | None, **options: Any) -> None:
    """Several metrics of FAKE against REAL, from one pass over the images.

    A metric on another network is named with it: fd_tiny, precision_vgg16, kd_clip. Folders within REAL and FAKE are classes.
    """
    if conventions:
        _all_conventions(real, fake, published=published, **options)
        return
    if published is not None:
        raise InputError("--published is compared with every tool's FID; add --conventions all")
    _score(real, fake, metrics=tuple(name.strip() for name in metrics.split(",") if name.strip()), **options)


def _all_conventions(
    real: str,
    fake: str,
    *,
    as_json: bool,
    quiet: bool,
    sqrtm: bool,
    published: float | None,
    page: Path | None,
    lang: str,
    **options: Any,
) -> None:
    from ganeval.conventions import DEFAULT
    from ganeval.disagreement import disagreement
    from ganeval.evaluator import check_page
    from ganeval.team import team

    if page is not None:
        check_page(page, lang)
    if options["extractor"] not in (None, "inception") or options["convention"] != DEFAULT or options["held_out"] is not None:
        raise InputError("--conventions all is about FID and IS on Inception; leave --extractor, --convention and --held-out out")
    kept = {name: options[name] for name in ("weights", "batch_size", "skip_bad", "seed", "num_splits", "spread")}
    generator = {name: options[name] for name in GENERATOR}
    with team(options["device"]) as (here, device):
        source = opened_fake(fake, device=device, **generator)
        kept |= {"method": "sqrtm" if sqrtm else "symmetric", "device": device, "team": here}
        kept["keep_features"] = "sample" if page is not None else False
        progress = shown_progress(quiet or not here.is_first)
        found = disagreement(real, source, progress=progress, **kept)
        _print_conventions(found, as_json=as_json, published=published)
        if page is not None and here.is_first:
            from ganeval.pages.conventions import write_conventions

            findings = _findings(real, source, progress, {**options, "device": device})
            write_conventions(found, page, published=published, findings=findings, lang=lang)
        _say_page(page)


def _print_conventions(found: Disagreement, *, as_json: bool, published: float | None) -> None:
    from ganeval.conventions import DEFAULT
    from ganeval.disagreement import POPULATION

    if as_json:
        values = {name: report.to_dict() for name, report in found.reports.items()}
        click.echo(json.dumps({"reports": values, POPULATION: asdict(found.population)}, ensure_ascii=False, allow_nan=False))
        return
    print_table(["convention", "FID ± error", f"from {DEFAULT}", "IS ± spread", "tools"], [list(row) for row in found.rows()])
    report = found.reports[DEFAULT]
    click.echo(f"\nimages  {report.num_real:,} real, {report.num_fake:,} fake")
    for note in report.notes:
        click.echo(f"note: {note}")
    if published is not None:
        (first, off), (second, next_off) = found.nearest(published)[:2]
        click.echo(f"published {published:g} is nearest to {first} (off by {off:+.4g}); next is {second} (off by {next_off:+.4g})")


def _score(
    real: str | None,
    fake: str,
    *,
    device: str | None,
    as_json: bool,
    quiet: bool,
    page: Path | None,
    sqrtm: bool = False,
    **options: Any,
) -> None:
    from ganeval.evaluator import evaluate as evaluated
    from ganeval.team import team

    generator = {name: options.pop(name) for name in GENERATOR}
    with team(device) as (here, own_device):
        source = opened_fake(fake, device=own_device, **generator)
        options |= {"method": "sqrtm" if sqrtm else "symmetric", "device": own_device, "team": here}
        progress = shown_progress(quiet or not here.is_first)
        findings = _findings(real, source, progress, options) if page is not None and here.is_first else None

        def say(report: Report) -> None:
            click.echo(report.to_json() if as_json else str(report))

        evaluated(real, source, page=page, findings=findings, progress=progress, on_report=say, **options)
        _say_page(page)


def _findings(real: Any, fake: Any, progress: Progress, given: Mapping[str, Any]) -> list[Finding]:
    """What the doctor says of the images, for the page; of the fakes alone where the reals are stats or none."""
    from ganeval.doctor.diagnosis import diagnose
    from ganeval.reference import Reference
    from ganeval.side import opened

    options = {name: given[name] for name in ("extractor", "convention", "device")}
    options |= {"progress": progress, "sample": LOOKED_AT, "weights": given["weights"] if given["extractor"] else None}
    found = (None if one is None else opened(one) for one in (real, fake))
    reals, fakes = (None if isinstance(one, Reference) else one for one in found)
    if reals is not None and fakes is not None:
        return list(diagnose(reals, fakes, **options).findings)
    if fakes is None:
        return []
    return [replace(finding, where="fake") for finding in diagnose(fakes, **options).findings]


def _say_page(page: Path | None) -> None:
    if page is not None:
        click.echo(f"\npage: {page}", err=True)
