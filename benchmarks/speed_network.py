"""Rows of benchmarks/speed.py: Inception alone, on inputs that are ready."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ganeval.conventions import CONVENTIONS
from ganeval.extractors.inception import load
from ganeval.forward import inference
from in_turn import Compared, in_turn, measured
from peers import pytorch_fid_network
from speed_setup import Row, Setup

OUR_BATCH, THEIR_BATCH = 32, 50  # the defaults
FLOP_PER_IMAGE = 11.42e9  # multiplications and additions of all convolutions
MATRIX = 2048
PEER, PRODUCTS = "pytorch-fid", "matrix products of as many FLOP"


def network(device: str, *, num: int, targets: Mapping[str, float]) -> Row:
    """Against pytorch-fid's network, and against as much work in plain matrix products, which is what the machine can do."""

    def row(setup: Setup) -> list[Compared]:
        where = torch.device(device)
        inputs = (2 * torch.rand(num, 3, 299, 299, generator=torch.Generator().manual_seed(0)) - 1).to(where)
        ours = load(convention=CONVENTIONS["pytorch-fid"], weights_file=setup.weights, device=where)
        theirs = pytorch_fid_network(setup.weights, bare=True).to(where)
        matrix = torch.rand(MATRIX, MATRIX, device=where)

        def our_features() -> torch.Tensor:
            with inference(ours, where):
                return torch.cat([ours.network(batch).features for batch in inputs.split(OUR_BATCH)]).cpu()

        def their_features() -> torch.Tensor:
            with torch.no_grad():
                return torch.cat([theirs(batch)[0].flatten(1) for batch in inputs.split(THEIR_BATCH)]).cpu()

        def products() -> None:
            for _ in range(round(num * FLOP_PER_IMAGE / (2 * MATRIX**3))):
                product = matrix @ matrix
            product[0, 0].item()  # a GPU is waited for

        torch.backends.cudnn.allow_tf32 = False  # for theirs; ours never computes in it
        try:
            return in_turn(
                f"Inception, {num:,} inputs, {device}, float32 without TF32",
                lambda: measured(our_features),
                {PEER: lambda: measured(their_features), PRODUCTS: lambda: measured(products)},
                targets=targets,
                rounds=setup.rounds,
                warm=True,
            )
        finally:
            torch.backends.cudnn.allow_tf32 = True

    return row


ROWS = {"network": network("cpu", num=100, targets={PEER: 2.3, PRODUCTS: 0.8})}
