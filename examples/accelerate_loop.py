"""Scores in a loop with Hugging Face accelerate; the same under `accelerate launch` with several processes.

pip install 'ganeval[integrations]'
python examples/accelerate_loop.py --num-steps 400
"""

from __future__ import annotations

import click
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, TensorDataset

from ganeval import open_data, to_uint8
from ganeval.integrations.accelerate import accelerated_monitor
from ganeval.training.data import stacked
from plain_loop import discriminator, generator


@click.command()
@click.option("--num-steps", default=120, show_default=True)
@click.option("--out", default="runs/accelerate", show_default=True)
def main(num_steps: int, out: str) -> None:
    set_seed(0)
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    data = open_data("shapes", task="images", image_size=32)
    g, d = generator(), discriminator()
    g_optimizer, d_optimizer = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (g, d))
    batches = DataLoader(TensorDataset(stacked(data.train.images)), batch_size=64, shuffle=True, drop_last=True)
    g, d, g_optimizer, d_optimizer, batches = accelerator.prepare(g, d, g_optimizer, d_optimizer, batches)

    monitor = accelerated_monitor(
        accelerator, stacked(data.test.images), extractor="tiny", every=40, budget=None, num_images=512, num_steps=num_steps, folder=out
    )
    step = 0
    while step <= num_steps:
        for (batch,) in batches:
            if record := monitor(step, lambda n: to_uint8(g(torch.randn(n, 64, 1, 1, device=accelerator.device)))):
                accelerator.print(f"step {step:4d}  fd_tiny {record.values['fd_tiny']:.4f}")
            fake = g(torch.randn(len(batch), 64, 1, 1, device=accelerator.device))
            d_loss = softplus(-d(batch.float() / 127.5 - 1)).mean() + softplus(d(fake.detach())).mean()
            d_optimizer.zero_grad()
            accelerator.backward(d_loss)
            d_optimizer.step()
            g_optimizer.zero_grad()
            accelerator.backward(softplus(-d(fake)).mean())
            g_optimizer.step()
            step += 1
            if step > num_steps:
                break
    assert monitor.best is not None
    accelerator.print(f"the best: step {monitor.best.step}, fd_tiny {monitor.best.values['fd_tiny']:.4f}")


if __name__ == "__main__":
    main()
