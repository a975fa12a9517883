"""ganeval ppl: how smoothly the pictures of a run's model follow its latents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganeval.cli.options import SEED, page_options, quiet_option, shown_progress
from ganeval.cli.runs import checkpoint_option, device_option, run_argument
from ganeval.cli.score import json_option


@click.command()
@run_argument
@click.option("--num-pairs", type=click.IntRange(min=2), default=50_000, show_default=True, help="Steps, of two pictures each.")
@click.option("--epsilon", type=float, default=1e-4, show_default=True, help="Length of a step, as a share of the path.")
@click.option("--path", type=click.Choice(["slerp", "lerp"]), help="Arc or line.  [default: an arc between normal latents, else a line]")
@click.option(
    "--sampling",
    type=click.Choice(["end", "full"]),
    default="end",
    show_default=True,
    help="Steps at the start of each path, or anywhere along.",
)
@click.option(
    "--side", type=click.IntRange(min=0), default=64, show_default=True, help="Pixels that pictures are brought to; 0 leaves them."
)
@click.option("--net", type=click.Choice(["vgg", "alex"]), default="vgg", show_default=True, help="Network of LPIPS.")
@click.option("--weights", type=click.Path(path_type=Path), help="State dict for that network instead of the published weights.")
@click.option("--batch-size", type=click.IntRange(min=1), default=16, show_default=True, help="Steps per forward pass.")
@checkpoint_option
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the latents.")
@device_option
@page_options
@json_option
@quiet_option
def ppl(
    run: Path,
    side: int,
    net: Any,
    weights: Path | None,
    checkpoint: Any,
    device: str | None,
    page: Path | None,
    lang: str,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Perceptual path length of the model in RUN (Karras et al. 2019): lower is smoother.

    For models that make pictures out of noise: gan, dcgan, lsgan, cgan.
    """
    from ganeval.evaluator import check_page
    from ganeval.path_length import Steps
    from ganeval.training.path_length import WALKS, out_of_noise, path_length_of
    from ganeval.training.trained import Trained

    if page is not None:
        check_page(page, lang)
    trained = Trained.opened(run, checkpoint=checkpoint, device=device)
    given["path"] = given["path"] or WALKS[out_of_noise(trained.model, trained.settings.model).prior]
    report = path_length_of(trained, Steps(side=side or None, **given), net=net, weights_file=weights, progress=shown_progress(quiet))
    click.echo(f"{run}: {trained.in_words}\n", err=True)
    click.echo(report.to_json() if as_json else str(report))
    if page is not None:
        from ganeval.pages.scores import write_report

        write_report(report, page, lang=lang, title=str(run))
        click.echo(f"\npage: {page}", err=True)
