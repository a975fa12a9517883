"""Lightning, accelerate and diffusers themselves: scores arrive where these look for them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from test_monitor import REAL, Net
from torch import nn

from conftest import MeanColor
from ganeval import Evaluator, Monitor, to_uint8
from ganeval.errors import InputError, InputTypeError
from ganeval.generators.drawn import seeded
from ganeval.integrations.accelerate import accelerated_monitor
from ganeval.integrations.diffusers import PipelineImages

QUICK: dict[str, Any] = {"extractor": MeanColor(), "num_images": 40, "budget": None}
KEY = "fd_mean_color"


# Lightning


def fitted(package: str, folder: Path, *, max_epochs: int = 2, resume: str | None = None, **options: Any) -> tuple[Any, Any, Any]:
    """A small regression with a generator in it: 4 batches an epoch."""
    lightning = import_module(package)
    callbacks = import_module(f"{package}.callbacks")
    from ganeval.integrations.lightning import MonitorCallback

    class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = Net()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self.net(batch[0]).square().mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    torch.manual_seed(0)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(32, 4)), batch_size=8)
    scores = MonitorCallback(REAL, lambda module, n: to_uint8(module.net(torch.randn(n, 4))), **QUICK, **options)
    best = callbacks.ModelCheckpoint(folder, monitor=KEY, save_last=True, every_n_train_steps=2, filename="{step}")
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu", "log_every_n_steps": 100}
    logger = import_module(f"{package}.loggers").CSVLogger(str(folder))
    trainer = lightning.Trainer(max_epochs=max_epochs, callbacks=[scores, best], logger=logger, **quiet)
    trainer.fit(Module(), data, ckpt_path=resume)
    return scores, best, trainer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
def test_lightning_keeps_the_checkpoint_with_the_best_score(package: str, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="pip install 'ganeval[integrations]'")
    pytest.importorskip(package.split(".")[0])
    scores, best, trainer = fitted(package, tmp_path, every=2)
    history = scores.monitor.history
    assert [record.step for record in history] == [2, 4, 6, 8]
    assert float(best.best_model_score) == pytest.approx(min(record.values[KEY] for record in history), rel=1e-6)
    assert float(trainer.callback_metrics[KEY]) == pytest.approx(history[-1].values[KEY], rel=1e-6)
    rows = (Path(trainer.logger.log_dir) / "metrics.csv").read_text()
    assert all(f"{record.values[KEY]}" in rows for record in history)
    # The callback is in the checkpoints, and goes on from them.
    longer, _, _ = fitted(package, tmp_path, every=2, max_epochs=3, resume=str(tmp_path / "last.ckpt"))
    assert [record.step for record in longer.monitor.history] == [2, 4, 6, 8, 10, 12]
    assert longer.monitor.history[:4] == history


@pytest.mark.filterwarnings("ignore")
def test_lightning_scores_by_epochs(tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="pip install 'ganeval[integrations]'")
    scores, _, _ = fitted("lightning.pytorch", tmp_path, every_epochs=1)
    assert [record.step for record in scores.monitor.history] == [4, 8]
    with pytest.raises(InputError, match="one of every"):
        fitted("lightning.pytorch", tmp_path)


# accelerate


def test_accelerate_gets_scores_in_its_trackers_and_its_checkpoints(tmp_path: Path) -> None:
    accelerate = pytest.importorskip("accelerate", reason="pip install 'ganeval[integrations]'")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

    accelerator = accelerate.Accelerator(cpu=True, log_with="tensorboard", project_dir=str(tmp_path))
    accelerator.init_trackers("run")
    net = accelerator.prepare(Net())
    monitor = accelerated_monitor(accelerator, REAL, every=1, **QUICK)
    for step in range(3):
        monitor(step, lambda n: to_uint8(net(torch.randn(n, 4))))
        nn.init.constant_(accelerator.unwrap_model(net).layers[0].bias, 0.1 * step)
    accelerator.save_state(str(tmp_path / "state"))
    history, monitor.history = monitor.history, []
    accelerator.load_state(str(tmp_path / "state"))
    assert monitor.history == history
    accelerator.end_training()
    events = accumulator.EventAccumulator(str(tmp_path / "run")).Reload()
    assert [event.step for event in events.Scalars(f"score/{KEY}")] == [0, 1, 2]
    accelerator.free_memory()


# diffusers


class Output:
    def __init__(self, images: Any) -> None:
        self.images = images


class Told:
    """Called like a pipeline; a picture is the first number of its generator, and what it was asked for."""

    def __init__(self, kind: str) -> None:
        self.kind, self.calls = kind, []  # type: ignore[var-annotated]

    def __call__(self, *, generator: list[torch.Generator], **asked: Any) -> Output:
        self.calls.append(asked)
        images = torch.stack([torch.rand(3, 8, 8, generator=one) for one in generator])
        if self.kind == "pt":
            return Output(images)
        array = images.permute(0, 2, 3, 1).numpy()
        if self.kind == "np":
            return Output(array)
        image = pytest.importorskip("PIL.Image")
        return Output([image.fromarray((one * 255).round().astype("uint8")) for one in array])


@pytest.mark.parametrize("kind", ["pil", "np", "pt"])
def test_pictures_do_not_depend_on_the_batch_size_nor_on_what_a_pipeline_hands_out(kind: str) -> None:
    expected = [torch.rand(3, 8, 8, generator=seeded(7, number)).mul(255).round() for number in range(10)]
    for batch_size in (1, 4, 16):
        images = PipelineImages(Told(kind), 10, seed=7, batch_size=batch_size)
        first, again = (torch.cat(list(images)) for _ in range(2))
        assert first.tolist() == again.tolist() == torch.stack(expected).tolist()
        assert first.dtype == torch.uint8


def test_prompts_and_other_conditions_take_turns() -> None:
    pipeline = Told("pt")
    list(PipelineImages(pipeline, 5, prompts=["dog", "cat", "owl"], batch_size=2, guidance_scale=3))
    assert [call["prompt"] for call in pipeline.calls] == [["dog", "cat"], ["owl", "dog"], ["cat"]]
    assert all(call["guidance_scale"] == 3 and "batch_size" not in call for call in pipeline.calls)
    pipeline.calls.clear()
    list(PipelineImages(pipeline, 3, prompts={"class_labels": [5, 6]}, batch_size=3))
    assert pipeline.calls == [{"class_labels": [5, 6, 5]}]


def test_mistakes_of_pipelines_are_said() -> None:
    with pytest.raises(InputError, match="num_images must be at least 1, got 0"):
        PipelineImages(Told("pt"), 0)
    with pytest.raises(InputError, match="of one length"):
        PipelineImages(Told("pt"), 3, prompts={"prompt": ["a"], "negative_prompt": ["b", "c"]})
    with pytest.raises(InputError, match="asked for 2 pictures and gave 1"):
        list(PipelineImages(lambda **asked: Output(torch.rand(1, 3, 8, 8)), 2))
    with pytest.raises(InputTypeError, match="gave dict instead of pictures"):
        list(PipelineImages(lambda **asked: Output({}), 2))


@pytest.mark.filterwarnings("ignore")
def test_a_real_pipeline_is_scored_and_left_as_it_was() -> None:
    diffusers = pytest.importorskip("diffusers", reason="pip install 'ganeval[integrations]'")
    torch.manual_seed(0)
    blocks = {"block_out_channels": (4, 4), "down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = diffusers.UNet2DModel(sample_size=8, layers_per_block=1, norm_num_groups=2, attention_head_dim=4, **blocks).train()
    pipeline = diffusers.DDPMPipeline(unet=unet, scheduler=diffusers.DDPMScheduler(num_train_timesteps=20))
    scheduler, before = pipeline.scheduler, pipeline.scheduler.timesteps.clone()
    images = PipelineImages(pipeline, 40, batch_size=32, num_inference_steps=2)
    whole = torch.cat(list(images))
    assert pipeline.scheduler is scheduler
    assert torch.equal(scheduler.timesteps, before)
    # The same as the pipeline's own, in each of its forms.
    for kind in ("pil", "np"):
        other = torch.cat(list(PipelineImages(pipeline, 40, batch_size=32, num_inference_steps=2, output_type=kind)))
        assert torch.equal(whole, other)
    own = pipeline(batch_size=1, generator=seeded(0, 3), num_inference_steps=2, output_type="np").images
    assert (torch.from_numpy(own * 255).permute(0, 3, 1, 2) - whole[3:4].float()).abs().max() <= 0.501  # half a level: rounding
    assert KEY in Evaluator(REAL, extractor=MeanColor())(images).scores
    record = Monitor(REAL, **QUICK)(0, images)
    assert record is not None
    assert unet.training


@pytest.mark.parametrize("module", ["diffusers", "accelerate"])
def test_an_integration_does_not_import_what_it_works_with(module: str) -> None:
    source = Path(__file__).parents[1] / "ganeval" / "integrations" / f"{module}.py"
    assert f"import {module}" not in source.read_text()
    assert f"from {module}" not in source.read_text()
