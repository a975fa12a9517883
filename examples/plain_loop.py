"""Scores in a loop of one's own: a small DCGAN on drawn pictures, scored every 100 steps; the best generator is kept.

python examples/plain_loop.py --num-steps 600 --out runs/plain
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from torch import nn
from torch.nn.functional import softplus

from ganeval import Monitor, open_data, to_uint8
from ganeval.training.data import stacked


def generator() -> nn.Module:
    """z [batch, 64, 1, 1] → pictures [batch, 3, 32, 32] in [-1, 1]."""
    layers: list[nn.Module] = []
    for before, after, stride in ((64, 64, 1), (64, 48, 2), (48, 32, 2)):
        layers += [nn.ConvTranspose2d(before, after, 4, stride, stride - 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh())


def discriminator() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 48), (48, 64)):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 16, 1))


@click.command()
@click.option("--num-steps", default=200, show_default=True)
@click.option("--out", default="runs/plain", show_default=True, type=click.Path(path_type=Path))
def main(num_steps: int, out: Path) -> None:
    torch.manual_seed(0)
    data = open_data("shapes", task="images", image_size=32)
    pictures = stacked(data.train.images).float() / 127.5 - 1
    g, d = generator(), discriminator()
    g_optimizer, d_optimizer = (torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (g, d))

    real = stacked(data.test.images)  # yours: a folder, a .zip, a Dataset, a file of stats
    monitor = Monitor(real, extractor="tiny", every=100, budget=None, num_images=512, folder=out, keep={"generator": g})
    for step in range(num_steps + 1):
        if record := monitor(step, lambda n: to_uint8(g(torch.randn(n, 64, 1, 1)))):
            click.echo(f"step {step:4d}  fd_tiny {record.values['fd_tiny']:.4f}{'  the best so far' if record.best else ''}")
        real_batch = pictures[torch.randint(len(pictures), (64,))]
        fake_batch = g(torch.randn(64, 64, 1, 1))
        d_loss = softplus(-d(real_batch)).mean() + softplus(d(fake_batch.detach())).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = softplus(-d(fake_batch)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
    best = torch.load(out / "best.pt", weights_only=True)
    click.echo(f"{out}/best.pt: the generator of step {best['step']}; {out}/scores.csv: all scores")


if __name__ == "__main__":
    main()
