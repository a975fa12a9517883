"""Scores in Lightning: a small GAN, scored every 40 batches; ModelCheckpoint keeps the best by them.

pip install 'ganeval[integrations]'
python examples/lightning_gan.py --num-steps 400
"""

from __future__ import annotations

import click
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, TensorDataset

from ganeval import open_data, to_uint8
from ganeval.integrations.lightning import MonitorCallback
from ganeval.training.data import stacked
from plain_loop import discriminator, generator


class SmallGAN(LightningModule):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(), discriminator()
        self.automatic_optimization = False

    def training_step(self, batch: list[Tensor], batch_idx: int) -> None:
        (pictures,) = batch
        fake = self.generator(torch.randn(len(pictures), 64, 1, 1, device=self.device))
        g_optimizer, d_optimizer = self.optimizers()
        d_loss = softplus(-self.discriminator(pictures.float() / 127.5 - 1)).mean() + softplus(self.discriminator(fake.detach())).mean()
        d_optimizer.zero_grad()
        self.manual_backward(d_loss)
        d_optimizer.step()
        g_optimizer.zero_grad()
        self.manual_backward(softplus(-self.discriminator(fake)).mean())
        g_optimizer.step()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (self.generator, self.discriminator)]


def draw(module: SmallGAN, n: int) -> Tensor:
    return to_uint8(module.generator(torch.randn(n, 64, 1, 1, device=module.device)))


@click.command()
@click.option("--num-steps", default=120, show_default=True, help="Batches.")
@click.option("--out", default="runs/lightning", show_default=True)
def main(num_steps: int, out: str) -> None:
    seed_everything(0)
    data = open_data("shapes", task="images", image_size=32)
    scores = MonitorCallback(stacked(data.test.images), draw, every=40, budget=None, num_images=512, extractor="tiny", folder=out)
    best = ModelCheckpoint(out, monitor="fd_tiny", every_n_train_steps=80, filename="{step}-{fd_tiny:.3f}")  # with Inception: "fid"
    trainer = Trainer(max_steps=2 * num_steps, accelerator="cpu", callbacks=[scores, best], logger=False, enable_progress_bar=False)
    trainer.fit(SmallGAN(), DataLoader(TensorDataset(stacked(data.train.images)), batch_size=64, shuffle=True))
    assert scores.monitor is not None
    for record in scores.monitor.history:
        click.echo(f"batch {record.step:4d}  fd_tiny {record.values['fd_tiny']:.4f}")
    click.echo(f"the best: {best.best_model_path}")


if __name__ == "__main__":
    main()
