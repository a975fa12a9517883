"""How far ganeval is from each peer, on the same pictures with the same weights file.

    python benchmarks/parity.py [--num 32] [--weights FILE]

Pictures are real ones where $GANEVAL_DATA names a folder of archives, drawn ones elsewhere. Without --weights, stand-in weights in
the public format are made. Prints one row per peer and picture size; `tests/test_peers.py` holds the same deviations to their limits.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("tests", "examples")]

import ganeval
from peers import PEERS, Features, Peer, ganeval_features, torch_fidelity_inception_score
from pictures import as_tensor, pictures, save_all
from standin import save_standin

SIZES = ((32, 32), (89, 109), (347, 211), (500, 375), (640, 480))


@dataclass(frozen=True)
class Deviation:
    """Ours against theirs."""

    features: float  # the largest |ours − theirs| / |theirs| over pictures, Euclidean norms
    fid: float  # relative
    ours: float
    theirs: float


def of_features(peer: Peer, folder: Path, weights: Path) -> tuple[float, Features]:
    """The largest deviation over the pictures of a folder, and the peer's features."""
    ours, theirs = ganeval_features(folder, weights, peer.convention), peer.features(folder, weights)
    return float(np.max(np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1))), theirs


def deviation(peer: Peer, real: Path, fake: Path, weights: Path) -> Deviation:
    """Of one peer on one pair of folders."""
    features, theirs = zip(*(of_features(peer, folder, weights) for folder in (real, fake)), strict=True)
    fid = ganeval.fid(real, fake, weights=weights, convention=peer.convention)
    reference = peer.distance(*theirs)
    return Deviation(max(features), abs(fid - reference) / reference, fid, reference)


@click.command()
@click.option("--num", default=32, show_default=True, help="Pictures in each set.")
@click.option("--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(num: int, weights: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        weights = weights or save_standin(root / "standin.pth", as_tensor(pictures(32, (32, 32), skip=500)))
        click.echo(f"{'peer':28} {'size':>9} {'features':>9} {'FID':>9} {'ours':>12} {'theirs':>12}")
        for width, height in SIZES:
            size = f"{width}x{height}"
            real = save_all(pictures(num, (width, height)), root / size / "real")
            fake = save_all(pictures(num, (width, height), skip=num), root / size / "fake")
            for peer in PEERS:
                row = deviation(peer, real, fake, weights)
                click.echo(f"{peer.name:28} {size:>9} {row.features:9.1e} {row.fid:9.1e} {row.ours:12.6f} {row.theirs:12.6f}")
            score = ganeval.inception_score(real, weights=weights)
            mean, std = torch_fidelity_inception_score(real, weights)
            assert score.spread is not None
            click.echo(
                f"{'torch-fidelity IS':28} {size:>9} mean {abs(score.value - mean) / mean:.1e}, spread {abs(score.spread - std) / std:.1e}"
                f" {score.value:12.6f} {mean:12.6f}"
            )


if __name__ == "__main__":
    main()
