"""The command line: parse, call, print. Heavy imports happen inside the commands, so that --help answers at once."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ganeval.cli.cache import cache
from ganeval.cli.compare import cite, compare
from ganeval.cli.completion import completion
from ganeval.cli.doctor import doctor
from ganeval.cli.examples import add_examples
from ganeval.cli.explain import explain
from ganeval.cli.imports import import_
from ganeval.cli.models import data, models
from ganeval.cli.path_length import ppl
from ganeval.cli.runs import generate, score_run, translate
from ganeval.cli.score import evaluate, fid, inception_score
from ganeval.cli.stats import stats
from ganeval.cli.tables import conventions, extractors, metrics
from ganeval.cli.train import train, train_and_score
from ganeval.cli.weights import weights
from ganeval.errors import InputError, Notice, reason, shown
from ganeval.memory import is_out_of_memory, keep_freed_memory


class Group(click.Group):
    """Turns a user's mistake into one sentence on standard error and a non-zero exit."""

    def invoke(self, ctx: click.Context) -> Any:
        # Pillow's warnings about odd files would break into the one line of --json readers and the table; what matters of them
        # is an error or a note of ours.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            with _notices():
                return super().invoke(ctx)
        except click.UsageError:
            if int(os.environ.get("RANK", "0")):  # of several processes one says so: all were given the same command
                return None
            raise
        except InputError as error:
            raise click.ClickException(shown(str(error))) from None
        except OSError as error:
            if error.errno in (None, errno.EPIPE):  # click knows that nobody reads on
                raise
            # What is written to files names them.
            raise click.ClickException(shown(f"{error.filename or 'standard output'}: {error.strerror}")) from None
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise click.ClickException(f"out of memory; use a smaller --batch-size. ({reason(error)})") from None


@contextmanager
def _notices() -> Iterator[None]:
    """Notices as one sentence on standard error, where other warnings are shown as ever."""
    with warnings.catch_warnings():
        as_ever, said = warnings.showwarning, set[str]()

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, Notice):  # once; Python forgets what it showed whenever filters change, as around Pillow
                if str(message) not in said:
                    click.echo(f"note: {shown(str(message))}", err=True)
                said.add(str(message))
            else:
                as_ever(message, category, *where, **more)

        warnings.showwarning = show
        yield


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ganeval")
@click.pass_context
def main(ctx: click.Context) -> None:
    """A number you can trust for any image generator.

    \b
    ganeval fid real_dir fake_dir          Fréchet Inception Distance
    ganeval is fake_dir                    Inception Score
    ganeval evaluate real_dir fake_dir     several metrics at once (ganeval metrics lists them)
    ganeval compare a.json b.json          which is better, and whether that is more than chance
    ganeval explain real_dir fake_dir -o out/   which images make a score what it is
    ganeval doctor real_dir fake_dir       what is wrong with the images themselves

    Images are folders, .zip, .tar, webdataset shards, .npy or .npz. The standard network is a download of 91 MB; on a machine
    without internet, --extractor tiny scores with an embedded one.
    """
    if ctx.invoked_subcommand not in SHARED and int(os.environ.get("RANK", "0")):
        ctx.exit()  # under torchrun: the first process does it alone
    keep_freed_memory()


SHARED = ("fid", "is", "evaluate", "stats", "train", "train-and-score")  # by the processes of torchrun
SCORING = (fid, inception_score, evaluate, stats, cache, weights, extractors, conventions, metrics, compare, cite, explain, doctor)
TRAINING = (train, train_and_score, generate, translate, score_run, ppl, import_, models, data)
for command in (*SCORING, *TRAINING, completion):
    main.add_command(command)
add_examples(main)
