"""Scores fed batch by batch, with the calls of torchmetrics: update, compute, reset.

python examples/streaming_metrics.py
"""

from __future__ import annotations

import click
import torch

from ganeval import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance, open_data
from ganeval.training.data import stacked


@click.command()
@click.option("--num-images", default=1000, show_default=True, help="Fakes of each kind.")
def main(num_images: int) -> None:
    real = stacked(open_data("shapes", task="images", image_size=32).test.images)  # yours: a folder, a Dataset, a file of stats
    fid = FrechetInceptionDistance(real=real, extractor="tiny")  # without extractor: Inception
    kid = KernelInceptionDistance(extractor="tiny", subset_size=200, reset_real_features=False)
    inception_score = InceptionScore(extractor="tiny")
    kid.update(real, real=True)  # the way of torchmetrics; real= above is the other

    rng = torch.Generator().manual_seed(0)
    for noise in (0, 10, 40):  # fakes: held-out pictures with more and more noise
        for batch in real[torch.randperm(len(real), generator=rng)[:num_images]].split(100):
            grain = noise * torch.randn(batch.shape, generator=rng)
            fakes = (batch + grain).round().clamp(0, 255).to(torch.uint8)
            for metric in (fid, kid, inception_score):
                metric.update(fakes)
        mean, _ = kid.compute()
        score, _ = inception_score.compute()
        click.echo(f"noise {noise:2d}  {fid.key} {fid.compute():8.4f}  {kid.key} {mean:8.4f}  {inception_score.key} {score:.3f}")
        for metric in (fid, kid, inception_score):
            metric.reset()


if __name__ == "__main__":
    main()
