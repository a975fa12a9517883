"""Rows of benchmarks/speed.py: whole commands, from the start of Python to the score, each with a cache that is empty.

Every tool runs with its own defaults. Ours runs in the convention of the tool that it is held against, so that the values say
whether both did the same work.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ganeval.weights import INCEPTION
from in_turn import Compared, Run, in_turn, measured_command
from peers import save_clean_fid_network
from pictures import pictures
from speed_setup import Row, Setup

Command = Callable[[Path, Path, Path], Run]  # (real, fake, weights)
SCRIPTS = Path(sys.executable).parent


def ours(real: Path, fake: Path, weights: Path, *, home: Path, convention: str, device: str = "cpu") -> Run:
    home.mkdir(parents=True)  # a new one each time
    options = ["--weights", str(weights), "--convention", convention, "--device", device, "--quiet", "--json"]
    command = [sys.executable, "-m", "ganeval", "fid", str(real), str(fake), *options]
    env = {"GANEVAL_HOME": str(home), "GANEVAL_CACHE_SIZE": "2GiB"}
    return measured_command(command, value=_json_fid, env=env, watch_gpu=device != "cpu")


def pytorch_fid(real: Path, fake: Path, weights: Path, *, home: Path, device: str = "cpu") -> Run:
    checkpoint = home / "hub" / "checkpoints" / INCEPTION.filename
    if not checkpoint.exists():
        checkpoint.parent.mkdir(parents=True)
        checkpoint.symlink_to(weights.resolve())
    return measured_command([SCRIPTS / "pytorch-fid", real, fake, "--device", device], value=_printed_fid, env={"TORCH_HOME": str(home)})


def torch_fidelity(real: Path, fake: Path, weights: Path, *, device: str = "cpu") -> Run:
    where = ["--cpu"] if device == "cpu" else ["--gpu", "0"]
    options = [*where, "--fid", "--no-cache", "--feature-extractor-weights-path", str(weights)]
    return measured_command([str(SCRIPTS / "fidelity"), "--input1", str(real), "--input2", str(fake), *options], value=_printed_fid)


def clean_fid(real: Path, fake: Path, weights: Path, *, home: Path, device: str = "cpu") -> Run:
    if not home.exists():
        home.mkdir()
        save_clean_fid_network(weights, home)
    command = [sys.executable, str(Path(__file__).with_name("clean_fid_command.py")), str(real), str(fake), str(home), device]
    return measured_command(command, value=_printed_fid)


def _json_fid(out: str) -> float:
    """As ganeval prints it."""
    return float(json.loads(out.splitlines()[-1])["scores"]["fid"]["value"])


def _printed_fid(out: str) -> float:
    """As pytorch-fid and torch-fidelity print it."""
    found = re.findall(r"(?:FID|frechet_inception_distance): +([0-9.e+-]+)", out)
    return float(found[-1])


def folders(setup: Setup, side: int, num: int, kind: str) -> tuple[Path, Path]:
    """Two folders of `num` pictures, "png" or "jpg"; made once."""
    found = tuple(setup.folder / f"{side}x{side}-{num}-{kind}" / label for label in ("real", "fake"))
    for folder, skip in zip(found, (0, num), strict=True):
        if not folder.exists():
            folder.mkdir(parents=True)
            for i, picture in enumerate(pictures(num, (side, side), skip=skip)):
                picture.save(folder / f"{i:05d}.{kind}", quality=90)
    return found[0], found[1]


def fid_command(side: int, kind: str, peers: tuple[str, ...], *, num: int = 512, device: str = "cpu", target: float = 2.5) -> Row:
    """`ganeval fid` on two folders against the peers' commands."""

    def row(setup: Setup) -> list[Compared]:
        real, fake = folders(setup, side, num, kind)
        ways: dict[str, tuple[str, Command]] = {
            "pytorch-fid": ("pytorch-fid", partial(pytorch_fid, home=setup.folder / "torch", device=device)),
            "torch-fidelity": ("ttur", partial(torch_fidelity, device=device)),
            "clean-fid": ("clean-fid", partial(clean_fid, home=setup.folder / "clean-fid", device=device)),
        }
        found = []
        for peer in peers:
            convention, theirs = ways[peer]
            found += in_turn(
                f"ganeval fid, 2 × {num:,} pictures of {side}×{side} ({kind}), {device}, cold",
                lambda: ours(real, fake, setup.weights, home=setup.fresh(), convention=convention, device=device),  # noqa: B023 - called at once
                {peer: partial(theirs, real, fake, setup.weights)},
                targets={peer: target},
                rounds=setup.rounds,
            )
        return found

    return row


def help_command(setup: Setup) -> list[Compared]:
    """`--help`, which should not wait for torch."""
    return in_turn(
        "ganeval --help",
        lambda: measured_command([SCRIPTS / "ganeval", "--help"]),
        {"pytorch-fid --help": lambda: measured_command([SCRIPTS / "pytorch-fid", "--help"])},
        targets={"pytorch-fid --help": 5},
        rounds=max(5, setup.rounds),
        warm=True,
    )


def memory(device: str) -> Row:
    """Peaks of main memory of 1,000, 3,000 and 20,000 fakes against stats, once each: up to twenty links to each of 1,000 pictures.

    Peers are asked for the first two: what a picture costs them shows there, and 20,000 would take them an hour on two cores.
    """

    def row(setup: Setup) -> list[Compared]:
        real, few = folders(setup, 32, 1_000, "png")
        more, many = (_linked(few, setup.folder / f"{times}-links", times) for times in (3, 20))
        stats, convention = setup.folder / "real.npz", "pytorch-fid"
        options = ["--weights", str(setup.weights), "--convention", convention, "--device", device, "--quiet", "-o", str(stats)]
        measured_command([sys.executable, "-m", "ganeval", "stats", "compute", str(real), *options])
        theirs = partial(pytorch_fid, home=setup.folder / "torch", device=device)
        shared: dict[str, Any] = {"convention": convention, "device": device}
        what = f"ganeval fid, stats against {{:,}} pictures of 32×32, {device}"

        def of(fake: Path) -> Callable[[], Run]:
            return lambda: ours(stats, fake, setup.weights, home=setup.fresh(), **shared)

        found = []
        for fake, num in ((few, 1_000), (more, 3_000)):
            peers = {"pytorch-fid": partial(theirs, stats, fake, setup.weights)}
            found += in_turn(what.format(num), of(fake), peers, rounds=1)
        return found + in_turn(what.format(20_000), of(many), {"itself, 1,000 pictures": of(few)}, rounds=1)

    return row


def _linked(folder: Path, target: Path, times: int) -> Path:
    target.mkdir()
    for picture in folder.iterdir():
        for i in range(times):
            (target / f"{i:02d}-{picture.name}").hardlink_to(picture)
    return target


ROWS: dict[str, Row] = {
    "fid-32": fid_command(32, "png", ("pytorch-fid", "torch-fidelity")),
    "fid-256": fid_command(256, "jpg", ("pytorch-fid", "clean-fid")),
    "fid-1024": fid_command(1024, "jpg", ("pytorch-fid", "clean-fid")),
    "help": help_command,
    "memory": memory("cpu"),  # an hour on two cores
}
