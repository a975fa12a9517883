"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from ganeval.cli.completion import extractor_names, one_of
from ganeval.conventions import CONVENTIONS, DEFAULT
from ganeval.errors import InputError
from ganeval.progress import Progress, bars, lines, silent
from ganeval.seeds import NUM_SEEDS

if TYPE_CHECKING:
    import torch

F = TypeVar("F", bound=Callable[..., Any])
N = TypeVar("N", int, float)

SEED = click.IntRange(min=0, max=NUM_SEEDS - 1)


class NetworkOptions(TypedDict):
    extractor: str | None
    convention: str
    weights: Path | None
    device: str | None
    batch_size: int
    skip_bad: bool
    cache: bool


def network_options(command: F) -> F:
    """How features are made."""
    for option in reversed(
        (
            click.option(
                "--extractor",
                metavar="NAME",
                shell_complete=one_of(extractor_names),
                help="Network; see `ganeval extractors`.  [default: the metric's own]",
            ),
            click.option(
                "--convention",
                type=click.Choice(list(CONVENTIONS)),
                default=DEFAULT,
                show_default=True,
                help="Whose numbers to reproduce; see `ganeval conventions`.",
            ),
            click.option(
                "--weights",
                type=click.Path(path_type=Path),
                help="State dict to use instead of the published weights; the scores are then marked as not standard.",
            ),
            click.option("--device", help="cpu, cuda, cuda:1 or mps.  [default: cuda if there is one, else cpu]"),
            click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Images per forward pass."),
            click.option("--skip-bad", is_flag=True, help="Leave out pictures that cannot be read, and say how many, instead of failing."),
            click.option(
                "--cache/--no-cache",
                default=True,
                help="Keep what the networks make of image files, and look there first; see `ganeval cache info`.  [default: on]",
            ),
        )
    ):
        command = option(command)
    return command


def generator_options(command: F) -> F:
    """What is not stated in the file of a generator."""
    for option in reversed(
        (
            click.option(
                "-n", "--num-images", type=click.IntRange(min=1), help="To draw, where FAKE is a generator: .onnx, .pt, diffusers:DIR."
            ),
            click.option("--z-dim", metavar="D[,D…]", help="Shape of its latents: 100, or 100,1,1.  [default: as the file states]"),
            click.option("--z-seed", type=SEED, help="Of its latents.  [default: 0]"),
            click.option("--range", "value_range", metavar="LOW,HIGH", help="Of its pictures: -1,1 or 0,1 or 0,255; never guessed."),
            click.option("--trust", is_flag=True, help="Run TorchScript (.pt, .ts), a program that may read and write files."),
        )
    ):
        command = option(command)
    return command


def opened_fake(
    fake: str,
    *,
    device: str | torch.device | None,
    num_images: int | None,
    z_dim: str | None,
    z_seed: int | None,
    value_range: str | None,
    trust: bool,
) -> Any:
    """The generator that FAKE names, opened; anything else as it is."""
    from ganeval.generators import is_generator, open_generator

    if not is_generator(fake):
        given = {"--num-images": num_images, "--z-dim": z_dim, "--z-seed": z_seed, "--range": value_range, "--trust": trust or None}
        if odd := [name for name, value in given.items() if value is not None]:
            raise InputError(f"{odd[0]} says how a generator in a file draws, but {fake} is none; leave it out")
        return fake
    if num_images is None:
        raise InputError(f"{fake} is a generator, which has no end: say how many images to draw with -n 50000")
    return open_generator(
        fake,
        num_images=num_images,
        z_dim=None if z_dim is None else tuple(_numbers(z_dim, int, "--z-dim 100 or --z-dim 100,1,1")),
        value_range=_pair(value_range),
        seed=z_seed or 0,
        trust=trust,
        device=device,
    )


def _pair(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = _numbers(text, float, "--range -1,1")
    if len(found) != 2:
        raise InputError(f"{text!r} is no range; write --range -1,1")
    return found[0], found[1]


def _numbers(text: str, kind: Callable[[str], N], example: str) -> list[N]:
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{text!r} is not understood; write {example}") from None


report_option = click.option(
    "--report",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an HTML page too, with pictures, feature space and provenance; it needs nothing else.",
)
lang_option = click.option("--lang", default="en", show_default=True, help="Language of the page: en, vi.")


def page_options(command: F) -> F:
    """A page beside the table."""
    return report_option(lang_option(command))


quiet_option = click.option("--quiet", is_flag=True, help="No progress.")


def shown_progress(quiet: bool) -> Progress:
    """Bars for people, lines for pipes and logs."""
    return silent if quiet else bars if sys.stderr.isatty() else lines
