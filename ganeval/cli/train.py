"""ganeval train, train-and-score. The options of a model are read off the fields of its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganeval.cli.examples import EXAMPLES, epilog
from ganeval.cli.options import shown_progress
from ganeval.cli.run_options import run_options
from ganeval.errors import InputError

if TYPE_CHECKING:
    from ganeval.training.config import Field
    from ganeval.training.run_folder import CheckpointName
    from ganeval.training.session import Outcome


class ModelGroup(click.Group):
    """One command for each installed model, made when it is asked for."""

    def __init__(self, *, then_score: bool, **options: Any) -> None:
        super().__init__(**options)
        self._then_score = then_score

    def list_commands(self, ctx: click.Context) -> list[str]:
        from ganeval.training.models import available

        return list(available())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from ganeval.training.models import load_model

        return _command(name, load_model(name), within=self.name or "", then_score=self._then_score)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Models"):  # by name only: to load them all would take seconds
            formatter.write_text(", ".join(self.list_commands(ctx)))


def _command(name: str, model: Any, *, within: str, then_score: bool) -> click.Command:
    from ganeval.training.config import fields_of

    own = [_option(field) for field in fields_of(model.Config)]
    flags: list[click.Parameter] = [click.Option(["--quiet"], is_flag=True, help="No progress bars, no scores on the way.")]
    if then_score:
        flags.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the scores as one line of JSON."))

    @click.pass_context
    def train(ctx: click.Context, /, **options: Any) -> None:
        _train(ctx, name, model, then_score=then_score, **options)

    return click.Command(
        name,
        params=[*own, *run_options(), *flags],
        callback=train,
        help=f"{model.paper}.\n\nDefaults in brackets are the paper's; --config chooses others.",
        epilog=epilog([line.replace("MODEL", name) for line in EXAMPLES[within]]),
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _option(field: Field) -> click.Option:
    """--z-dim 100; --flip / --no-flip. None means: as the configuration has it."""
    flag = field.name.replace("_", "-")
    names = [f"--{flag}/--no-{flag}" if field.type is bool else f"--{flag}", field.name]
    kind = click.Choice(field.choices) if field.choices else None if field.type is bool else field.type
    return click.Option(names, type=kind, default=None, help=f"{field.help}  [{field.default}]")


def _train(
    ctx: click.Context,
    name: str,
    model: Any,
    *,
    then_score: bool,
    out: Path | None,
    resume: Path | None,
    checkpoint: CheckpointName | None,
    device: str | None,
    quiet: bool,
    lang: str | None,
    as_json: bool = False,
    **given: Any,
) -> None:
    from ganeval.cli.watch import shown_watch
    from ganeval.training import session
    from ganeval.training.run_folder import free_folder
    from ganeval.training.settings import settings_for
    from ganeval.training.trained import REALS, Trained

    changes = {key: value for key, value in given.items() if value is not None}
    progress = shown_progress(quiet)
    with shown_watch(name, quiet) as watch:
        if resume is not None:
            if out is not None:
                raise InputError("--resume continues in its own folder; leave --out out")
            outcome = session.resume(
                resume,
                checkpoint=checkpoint or "last",
                model=name,
                changes=changes_of(model, changes),
                device=device,
                watch=watch,
                progress=progress,
                lang=lang,
            )
        else:
            if checkpoint is not None:
                raise InputError("--checkpoint says what to continue from; give --resume RUN too, or leave it out")
            settings = settings_for(name, changes_of(model, changes))
            outcome = session.start(settings, out or free_folder(name), device=device, watch=watch, progress=progress, lang=lang or "en")
    if outcome.scorer is None:  # not the first of several processes
        return
    if outcome.stopped_by:
        _say_how_to_go_on(ctx, name, outcome)
    path = outcome.folder.path
    if not then_score:
        click.echo(f"{path}: step {outcome.step:,}. Scores: ganeval score {path}. Page: {path / 'report.html'}", err=True)
        return
    trained = Trained.opened(path, device=device)
    card = trained.score(scorer=outcome.scorer, progress=progress)
    click.echo(f"{path}: {trained.checkpoint} checkpoint, of step {trained.step:,}, against {REALS['report']}\n", err=True)
    click.echo(card.report.to_json() if as_json else str(card.report))
    click.echo(f"\npage: {path / 'report.html'}", err=True)


def changes_of(model: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Options → fields of `Settings`; those of the configuration under "config"."""
    from ganeval.training.config import fields_of

    own = {field.name for field in fields_of(model.Config)}
    changes = {key: value for key, value in given.items() if key not in own}
    if "gray" in changes:
        changes["channels"] = 1 if changes.pop("gray") else 3
    for key in ("metrics", "attributes"):
        if key in changes:
            changes[key] = tuple(name.strip() for name in changes[key].split(",") if name.strip())
    return {**changes, "config": {key: value for key, value in given.items() if key in own}}


def _say_how_to_go_on(ctx: click.Context, name: str, outcome: Outcome) -> None:
    """Exit as a shell expects of a process that a signal ended."""
    path = outcome.folder.path
    click.echo(f"stopped at step {outcome.step:,}; go on with: ganeval train {name} --resume {path}", err=True)
    ctx.exit(128 + outcome.stopped_by)


def _group(name: str, *, then_score: bool, text: str) -> ModelGroup:
    return ModelGroup(name=name, then_score=then_score, help=text, subcommand_metavar="MODEL [OPTIONS]", options_metavar="")


train = _group(
    "train",
    then_score=False,
    text="Train a model: `ganeval train MODEL --help` has its options, `ganeval models` says what there is.",
)
train_and_score = _group(
    "train-and-score",
    then_score=True,
    text="Train a model, then score its best checkpoint on pictures that neither trained nor chose it.",
)
