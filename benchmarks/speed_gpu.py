"""Rows of benchmarks/speed.py that need a GPU with CUDA. Float32 is without TF32 on both sides unless the row says otherwise."""

from __future__ import annotations

import click
import torch

from in_turn import Compared
from speed_commands import fid_command, memory
from speed_network import PEER, network
from speed_setup import Row, Setup
from speed_training import ARTICLE, steps

FAST = "--precision bfloat16 --compiled --log-every 50"
DCGAN = "--preset article --batch-size 128 --device cuda"
CYCLEGAN = "--model cyclegan --preset paper --batch-size 1 --device cuda"
EAGER = {"eager": "eager float32 loop"}


def with_gpu(row: Row) -> Row:
    """The row, and one sentence where there is no GPU."""

    def checked(setup: Setup) -> list[Compared]:
        if not torch.cuda.is_available():
            raise click.UsageError("this row needs a GPU with CUDA, which torch does not find here")
        return row(setup)

    return checked


ROWS = {
    name: with_gpu(row)
    for name, row in {
        "gpu-fid": fid_command(256, "png", ("pytorch-fid", "torch-fidelity", "clean-fid"), num=1_200, device="cuda", target=3),
        "gpu-memory": memory("cuda"),
        "gpu-network": network("cuda", num=1_000, targets={PEER: 1.5}),
        "gpu-dcgan-training": steps(f"dcgan 32×32, article, 200 steps of 128, {FAST}", 200, DCGAN, ARTICLE, ours=FAST, target=4),
        "gpu-dcgan-training-float32": steps("dcgan 32×32, article, 200 steps of 128", 200, DCGAN, ARTICLE, ours="--log-every 50"),
        "gpu-cyclegan-training": steps(
            f"cyclegan 256×256, paper, 20 steps, {FAST}", 20, CYCLEGAN, EAGER, side=256, num=200, ours=FAST, target=2.5
        ),
    }.items()
}
