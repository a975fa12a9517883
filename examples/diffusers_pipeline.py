"""Scores of a diffusers pipeline: here a tiny one with random weights, so that nothing is downloaded.

pip install 'ganeval[integrations]'
python examples/diffusers_pipeline.py --num-steps 5
"""

from __future__ import annotations

import click
import torch
from diffusers import DDIMScheduler, DDPMPipeline, UNet2DModel

from ganeval import Evaluator, open_data
from ganeval.integrations.diffusers import PipelineImages
from ganeval.training.data import stacked


def small_pipeline() -> DDPMPipeline:
    """Yours: DDPMPipeline.from_pretrained(…), StableDiffusionPipeline.from_pretrained(…)."""
    torch.manual_seed(0)
    blocks = {"block_out_channels": (8, 8), "down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = UNet2DModel(sample_size=32, in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=4, **blocks)
    return DDPMPipeline(unet=unet, scheduler=DDIMScheduler())


@click.command()
@click.option("--num-images", default=128, show_default=True)
@click.option("--num-steps", default=2, show_default=True, help="Denoising steps of each picture.")
def main(num_images: int, num_steps: int) -> None:
    evaluator = Evaluator(stacked(open_data("shapes", task="images", image_size=32).test.images), extractor="tiny")
    # Of a pipeline that is told what to show: PipelineImages(…, prompts=["a dog", "a cat"]).
    fakes = PipelineImages(small_pipeline(), num_images, batch_size=64, seed=0, num_inference_steps=num_steps)
    click.echo(evaluator(fakes))


if __name__ == "__main__":
    main()
