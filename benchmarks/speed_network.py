"""Rows of benchmarks/speed.py: Inception alone, on inputs that are ready."""

from __future__ import annotations

import torch

from ganeval.conventions import CONVENTIONS
from ganeval.extractors.inception import load
from ganeval.forward import inference
from in_turn import Compared, in_turn, measured
from peers import pytorch_fid_network
from speed_setup import Setup

CPU = torch.device("cpu")
NUM = 100
OUR_BATCH, THEIR_BATCH = 32, 50  # the defaults
FLOP_PER_IMAGE = 11.42e9  # multiplications and additions of all convolutions
MATRIX = 2048


def network(setup: Setup) -> list[Compared]:
    """Against pytorch-fid's network, and against as much work in plain matrix products, which is what the machine can do."""
    inputs = 2 * torch.rand(NUM, 3, 299, 299, generator=torch.Generator().manual_seed(0)) - 1
    ours = load(convention=CONVENTIONS["pytorch-fid"], weights_file=setup.weights, device=CPU)
    theirs = pytorch_fid_network(setup.weights, bare=True)
    matrix = torch.rand(MATRIX, MATRIX)

    def our_features() -> torch.Tensor:
        with inference(ours, CPU):
            return torch.cat([ours.network(batch).features for batch in inputs.split(OUR_BATCH)])

    def their_features() -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([theirs(batch)[0].flatten(1) for batch in inputs.split(THEIR_BATCH)])

    def products() -> None:
        for _ in range(round(NUM * FLOP_PER_IMAGE / (2 * MATRIX**3))):
            matrix @ matrix

    others = {"pytorch-fid": lambda: measured(their_features), "matrix products of as many FLOP": lambda: measured(products)}
    targets = {"pytorch-fid": 2.3, "matrix products of as many FLOP": 0.8}
    what = f"Inception, {NUM} inputs, CPU, float32"
    return in_turn(what, lambda: measured(our_features), others, targets=targets, rounds=setup.rounds, warm=True)


ROWS = {"network": network}
