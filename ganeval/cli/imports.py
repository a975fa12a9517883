"""ganeval import: the generators that other projects trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganeval.cli.completion import data_names, model_names, one_of
from ganeval.cli.options import quiet_option, shown_progress


@click.command("import")
@click.argument("model", shell_complete=one_of(model_names))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Run folder to make.  [default: runs/MODEL]")
@click.option("--image-size", type=click.IntRange(min=1), help="Side in pixels that it was trained with (cyclegan, stargan).")
@click.option("--attributes", help="Comma-separated names of its attributes, in the order that it was trained with (stargan).")
@click.option("--dropout/--no-dropout", default=None, help="Whether it was trained with dropout (pix2pix).")
@click.option("--data", shell_complete=one_of(data_names, also_files=True), help="What `ganeval score` is to score against.")
@click.option("--direction", type=click.Choice(["AtoB", "BtoA"]), help="With --data: which side it makes out of which.")
@quiet_option
def import_(model: str, files: tuple[Path, ...], out: Path | None, attributes: str | None, quiet: bool, **given: Any) -> None:
    """Make a run folder of FILES, state dicts that the authors' own projects wrote, to translate and score with.

    \b
    cyclegan  pytorch-CycleGAN-and-pix2pix: latest_net_G_A.pth, and for the way back latest_net_G_B.pth
    pix2pix   pytorch-CycleGAN-and-pix2pix: latest_net_G.pth
    stargan   yunjey/stargan: 200000-G.ckpt

    What a file does not say is asked for. No code in it is run.
    """
    from ganeval.training.imported import import_run
    from ganeval.training.run_folder import free_folder

    names = tuple(name.strip() for name in attributes.split(",")) if attributes else ()
    folder = import_run(model, files, out or free_folder(model), attributes=names, progress=shown_progress(quiet), **given)
    click.echo(f"{folder.path}: {model}, imported; translate with it: ganeval translate {folder.path} PHOTOS -o OUT")
