"""ganeval generate, translate, score: what to do with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganeval.cli.completion import extractor_names, metric_names, one_of, some_of
from ganeval.cli.options import SEED, quiet_option, report_option, shown_progress
from ganeval.errors import InputError
from ganeval.files import check_folder

run_argument = click.argument("run", type=click.Path(path_type=Path))
checkpoint_option = click.option("--checkpoint", type=click.Choice(["best", "last"]), help="[default: best where there is one]")
device_option = click.option("--device", help="cpu, cuda, cuda:1 or mps.  [default: cuda if there is one, else cpu]")
seed_option = click.option("--seed", type=SEED, default=0, show_default=True, help="Of the noise.")
folder_option = click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the PNGs.")


@click.command()
@run_argument
@click.option("-n", "--number", type=click.IntRange(min=1), default=64, show_default=True, help="Of pictures.")
@folder_option
@click.option("--label", help="Only this class, by name or number.  [default: all in turn]")
@checkpoint_option
@seed_option
@device_option
@quiet_option
def generate(run: Path, number: int, output: Path, label: str | None, checkpoint: Any, seed: int, device: str | None, quiet: bool) -> None:
    """New pictures of the model in RUN, as PNG."""
    from ganeval.images.png import check_empty, write_pngs
    from ganeval.training.trained import Trained

    check_empty(output)
    trained = Trained.opened(run, checkpoint=checkpoint, device=device)
    images = trained.images(number, label=label, seed=seed)
    write_pngs(output, {f"{index:06d}": image for index, image in enumerate(images)}, progress=shown_progress(quiet))
    click.echo(f"{number:,} pictures in {output}, from the {trained.in_words}")


@click.command()
@run_argument
@click.argument("photos", type=click.Path(path_type=Path))
@folder_option
@click.option("--backward", is_flag=True, help="From the second domain to the first (cyclegan).")
@click.option("--set", "attributes", multiple=True, metavar="NAME=0|1", help="Attribute the pictures shall have (stargan); the rest are 0.")
@click.option(
    "--part",
    type=click.Choice(["middle", "whole", "left", "right"]),
    help="Of each picture: its middle square, all of it, or half of a strip of pairs.  [default: as in training; of strips you say]",
)
@checkpoint_option
@seed_option
@device_option
@quiet_option
def translate(
    run: Path,
    photos: Path,
    output: Path,
    backward: bool,
    attributes: tuple[str, ...],
    part: Any,
    checkpoint: Any,
    seed: int,
    device: str | None,
    quiet: bool,
) -> None:
    """The pictures in PHOTOS, translated by the model in RUN: PNGs of the same names."""
    from ganeval.images.png import check_empty, write_pngs
    from ganeval.training.datasets.loose import open_pictures
    from ganeval.training.trained import Trained

    check_empty(output)
    wanted = dict(_attribute(text) for text in attributes)
    trained = Trained.opened(run, checkpoint=checkpoint, device=device)
    spec = trained.model.spec
    names, source = open_pictures(photos, spec, part=part, progress=shown_progress(quiet))
    images = trained.translated(source, attributes=wanted, backward=backward, seed=seed)
    write_pngs(output, dict(zip(names, images, strict=True)), progress=shown_progress(quiet))
    click.echo(f"{len(images):,} pictures in {output}, from the {trained.in_words}")


def _attribute(text: str) -> tuple[str, bool]:
    name, _, value = text.partition("=")
    if value not in ("0", "1"):
        raise InputError(f"{text!r} sets nothing; write --set NAME=1 or --set NAME=0")
    return name, value == "1"


@click.command("score")
@run_argument
@click.option(
    "--against",
    type=click.Choice(["report", "test", "train"]),
    default="report",
    show_default=True,
    help="Reals: the half of the test split that chose no checkpoint, all of it, or the training split.",
)
@click.option("--num-fakes", type=click.IntRange(min=1), help="[default: as the run was set, else as many as there are reals]")
@click.option("--metrics", shell_complete=some_of(metric_names), help="Comma-separated; fid is always among them.")
@click.option("--extractor", shell_complete=one_of(extractor_names), help="Network to score with.")
@click.option("--convention", help="As for `ganeval fid`.")
@click.option("--weights", help="State dict for the extractor instead of its own.")
@checkpoint_option
@seed_option
@device_option
@report_option
@click.option("--lang", help="Language of the page: en, vi.  [default: that which the run was begun with]")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of the table.")
@quiet_option
def score_run(
    run: Path,
    against: Any,
    num_fakes: int | None,
    checkpoint: Any,
    seed: int,
    device: str | None,
    page: Path | None,
    lang: str | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Score the model in RUN again: other metrics, another extractor, other reals."""
    from ganeval.pages.language import language
    from ganeval.pages.run import write_page
    from ganeval.training.trained import REALS, Trained

    language(lang or "en")
    if page is not None:
        check_folder(page)
    if given["metrics"] is not None:
        given["metrics"] = tuple(name.strip() for name in given["metrics"].split(",") if name.strip())
    changes = {key: value for key, value in given.items() if value is not None}
    trained = Trained.opened(run, checkpoint=checkpoint, device=device)
    card = trained.score(half=against, num_fakes=num_fakes, seed=seed, lang=lang, progress=shown_progress(quiet), **changes)
    click.echo(f"{run}: {trained.in_words}, against {REALS[against]}\n", err=True)
    click.echo(card.report.to_json() if as_json else str(card.report))
    if page is not None:
        click.echo(f"\npage: {write_page(run, page, lang=lang)}", err=True)
