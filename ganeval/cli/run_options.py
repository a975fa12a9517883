"""Options of `ganeval train` that all models share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganeval.cli.completion import data_names, extractor_names, metric_names, one_of, some_of
from ganeval.cli.options import SEED


def run_options() -> list[click.Parameter]:
    """A default of None means: as `Settings` has it."""
    integer = click.IntRange(min=1)
    return [
        click.Option(["--out"], type=click.Path(path_type=Path), help="Run folder to make.  [default: runs/MODEL]"),
        click.Option(["--resume"], type=click.Path(path_type=Path), help="Continue the run in this folder from its last checkpoint."),
        click.Option(["--checkpoint"], type=click.Choice(["last", "best"]), help="With --resume: which to continue from.  [default: last]"),
        click.Option(
            ["--config", "preset"],
            help="A named configuration; `ganeval models MODEL` lists them.  [default: quick for shapes, else paper]",
        ),
        click.Option(
            ["--data"],
            shell_complete=one_of(data_names, also_files=True),
            help="shapes (drawn, no download), a public data set, or a folder or .zip of your own.  [default: shapes]",
        ),
        click.Option(["--image-size"], type=integer, help="Side in pixels.  [default: the data's own, or what the configuration is for]"),
        click.Option(
            ["--gray/--color", "gray"],
            default=None,
            help="One channel or three.  [default: as public data are, of a folder as the configuration has it]",
        ),
        click.Option(["--attributes"], help="Comma-separated columns of an attribute table."),
        click.Option(["--direction"], type=click.Choice(["AtoB", "BtoA"]), help="Of pairs and domains.  [default: AtoB]"),
        click.Option(["--seed"], type=SEED, help="Of weights, noise and order.  [default: 0]"),
        click.Option(["--device"], help="cpu, cuda, cuda:1 or mps.  [default: cuda if there is one, else cpu]"),
        click.Option(["--precision"], type=click.Choice(["float32", "bfloat16"]), help="bfloat16 is autocast.  [default: float32]"),
        click.Option(["--compile/--no-compile", "compiled"], default=None, help="torch.compile the nets."),
        click.Option(
            ["--channels-last/--no-channels-last"], default=None, help="Memory format that convolutions prefer.  [default: on a CPU]"
        ),
        click.Option(["--deterministic/--no-deterministic"], default=None, help="The same bits in every run, on a GPU too; slower."),
        click.Option(
            ["--extractor"],
            shell_complete=one_of(extractor_names),
            help="Network to score with.  [default: tiny for shapes, else inception]",
        ),
        click.Option(
            ["--metrics"],
            shell_complete=some_of(metric_names),
            help="Comma-separated; fid is always among them.  [default: fid,is out of noise, else fid]",
        ),
        click.Option(["--convention"], help="As for `ganeval fid`.  [default: ttur]"),
        click.Option(["--weights"], help="State dict for the extractor instead of its own."),
        click.Option(
            ["--num-fakes"], type=integer, help="Of the score at the end.  [default: as many as there are reals, of noise 1000 at least]"
        ),
        click.Option(["--num-fakes-training"], type=integer, help="Of each score on the way.  [default: 1000]"),
        click.Option(["--score-budget"], type=Share(), help="Share of the time for scores on the way, as 5% or 0.05.  [default: 5%]"),
        click.Option(["--score-every"], type=integer, help="Steps between two scores, instead of a budget."),
        click.Option(["--on-collapse"], type=click.Choice(["warn", "stop", "rollback"]), help="What to do about one.  [default: warn]"),
        click.Option(["--checkpoint-every"], type=integer, help="Steps.  [default: a twentieth of the run]"),
        click.Option(["--lang"], help="Language of the run's page: en, vi.  [default: en]"),
        click.Option(["--sample-every"], type=integer, help="Steps between two grids.  [default: a tenth of the run]"),
    ]


class Share(click.ParamType):  # type: ignore[type-arg]  # generic only in recent releases of click
    """5% or 0.05."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{value!r} is no share; write 5% or 0.05", param, ctx)
        if not 0 <= share < 1:
            self.fail(f"{value!r} is not between 0 and 100 %", param, ctx)
        return share
