"""ganeval explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ganeval.cli.options import lang_option, network_options, quiet_option, shown_progress
from ganeval.cli.score import fake_argument, json_option, real_argument
from ganeval.cli.tables import print_table
from ganeval.errors import InputError


@click.command()
@real_argument
@fake_argument
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="A new folder for page and sheets.")
@click.option("--num-shown", type=click.IntRange(min=2), default=24, show_default=True, help="Images on a contact sheet.")
@network_options
@lang_option
@json_option
@quiet_option
def explain(real: str, fake: str, output: Path, num_shown: int, lang: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """What makes the Fréchet distance of FAKE from REAL: the worst fakes, what they leave out, copies, classes; as a page in a folder."""
    from ganeval.explanation import explain as explained
    from ganeval.pages.explained import summary, write_explanation
    from ganeval.pages.language import language

    if output.exists() and any(output.iterdir()):
        raise InputError(f"{output} exists and is not an empty folder; name a new one")
    language(lang)
    found = explained(real, fake, progress=shown_progress(quiet), **options)
    page = write_explanation(found, output, num_shown=num_shown, lang=lang)
    about = summary(found)
    if as_json:
        click.echo(json.dumps(about, ensure_ascii=False, allow_nan=False))
        return
    rows = [
        [found.key, f"{found.distance:.6g}"],
        ["  in the mean", f"{found.mean_part:.6g}"],
        ["  in the covariance", f"{found.covariance_part:.6g}"],
        ["reals that no fake covers", f"{100 * about['uncovered_reals']:.1f} %"],
        ["fakes nearer to a real than its own neighbor", f"{100 * about['copies']:.1f} %"],
    ]
    print_table(["what", "value"], rows)
    if found.classes:
        click.echo()
        of_classes = [
            [
                one.name,
                str(one.num_real),
                str(one.num_fake),
                f"{one.mean_influence:+.3g}",
                "" if one.distance is None else f"{one.distance:.4g}",
            ]
            for one in found.classes
        ]
        print_table(["class", "real", "fake", "mean influence", "distance within"], of_classes)
    click.echo(f"\n{page}")
