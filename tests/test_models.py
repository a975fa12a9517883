"""What all models have in common, and what each has of its own, on nets that train a step in milliseconds."""

from __future__ import annotations

import copy
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from ganeval.training.batch import Batch
from ganeval.training.gan import GAN
from ganeval.training.sampling import sampling
from ganeval_models.cgan import CGAN
from ganeval_models.cyclegan import CycleGAN
from ganeval_models.dcgan import DCGAN
from ganeval_models.gan import VanillaGAN
from ganeval_models.lsgan import LSGAN
from ganeval_models.pix2pix import Pix2Pix
from ganeval_models.stargan import StarGAN
from small_models import batch_for, made, size_of, small, spec_for

MODELS = (VanillaGAN, DCGAN, CGAN, LSGAN, Pix2Pix, CycleGAN, StarGAN)

pytestmark = pytest.mark.usefixtures("one_thread")

each_model = pytest.mark.parametrize("model_class", MODELS, ids=lambda model_class: model_class.__name__)


@pytest.mark.parametrize(
    ("model_class", "image_size", "channels"),
    [
        *((VanillaGAN, size, channels) for size, channels in ((28, 1), (20, 3))),
        *((DCGAN, size, channels) for size, channels in ((16, 1), (32, 3), (64, 3), (128, 1))),
        *((CGAN, size, channels) for size, channels in ((28, 1), (20, 3), (64, 3))),
        *((LSGAN, size, channels) for size, channels in ((16, 1), (64, 3))),
        *((Pix2Pix, size, channels) for size, channels in ((32, 1), (64, 3), (128, 3))),
        *((CycleGAN, size, channels) for size, channels in ((28, 1), (64, 3))),
        *((StarGAN, size, channels) for size, channels in ((16, 3), (64, 1))),
    ],
)
def test_a_model_trains_on_and_makes_pictures_of_many_sizes(model_class: type[GAN], image_size: int, channels: int) -> None:
    model = small(model_class, image_size, channels)
    batch = batch_for(model, num=2)
    assert all(loss.isfinite() and loss.shape == () and not loss.requires_grad for loss in model.train_step(batch).values())
    fakes = made(model, batch)
    assert fakes.shape == batch.images.shape
    assert -1 <= fakes.min() < fakes.max() <= 1
    assert fakes.mean().abs() < 0.4  # 0 is gray; in [0, 1] it would be 0.5


@each_model
def test_a_fake_depends_on_its_item_and_the_stream_alone(model_class: type[GAN]) -> None:
    model = small(model_class)
    for _ in range(3):
        model.train_step(batch_for(model))
    before, modes = copy.deepcopy(model.state_dict()), [module.training for module in model.modules()]
    ours, others = batch_for(model), batch_for(model, seed=1)
    fakes = made(model, ours, seed=7)

    torch.manual_seed(123)  # the global stream does not matter
    assert made(model, ours, seed=7).equal(fakes)
    mixed = Batch(*(None if a is None or b is None else torch.cat([a[:1], b[1:]]) for a, b in zip(ours, others, strict=True)))  # type: ignore[arg-type]
    torch.testing.assert_close(made(model, mixed, seed=7)[0], fakes[0])  # nor do its neighbors
    random = model_class not in (CycleGAN, StarGAN)
    assert made(model, ours, seed=8).equal(fakes) is not random

    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes


def test_pix2pix_makes_several_pictures_of_one_source() -> None:
    model = small(Pix2Pix)
    batch = batch_for(model, num=1)
    twice = Batch(batch.images.repeat(2, 1, 1, 1), None, batch.source.repeat(2, 1, 1, 1))  # type: ignore[union-attr]
    first, second = made(model, twice)
    assert not first.allclose(second)


@pytest.mark.parametrize("conditioning", ["onehot-concat", "embed-concat", "projection"])
def test_both_players_of_cgan_hear_the_class(conditioning: str) -> None:
    model: Any = small(CGAN, conditioning=conditioning)
    batch = batch_for(model)
    assert batch.labels is not None
    other = batch._replace(labels=(batch.labels + 1) % 3)
    assert not made(model, other).allclose(made(model, batch))
    model.eval()
    assert not model.discriminator(batch.images, other.labels).allclose(model.discriminator(batch.images, batch.labels))


@each_model
def test_a_step_moves_its_own_nets_and_leaves_no_gradient_in_others(model_class: type[GAN]) -> None:
    model = small(model_class, **({"n_critic": 1} if model_class is StarGAN else {}))
    gradients: dict[Tensor, Tensor | None] = dict.fromkeys(model.parameters())
    steps = []

    def check(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        own = {parameter for group in optimizer.param_groups for parameter in group["params"]}
        for parameter, last in gradients.items():
            if parameter in own:
                assert parameter.grad is not None
                gradients[parameter] = parameter.grad.clone()
            else:
                assert parameter.grad is None if last is None else last.equal(parameter.grad)  # type: ignore[arg-type]
        steps.append(optimizer)

    for optimizer in model.optimizers.values():
        optimizer.register_step_pre_hook(check)
    model.train_step(batch_for(model))
    assert len(steps) == len(set(steps)) == len(model.optimizers) == 2
    assert all(parameter.requires_grad for parameter in model.parameters())
    owned = [parameter for optimizer in model.optimizers.values() for group in optimizer.param_groups for parameter in group["params"]]
    assert len(owned) == len(set(owned)) == len(list(model.parameters()))


@each_model
def test_a_run_continues_exactly_from_its_state(model_class: type[GAN]) -> None:
    model, batch = small(model_class), batch_for(small(model_class))
    for _ in range(3):
        model.train_step(batch)
    resumed = small(model_class)
    resumed.load_state_dict(copy.deepcopy(model.state_dict()))
    for name, optimizer in model.optimizers.items():
        resumed.optimizers[name].load_state_dict(copy.deepcopy(optimizer.state_dict()))
    stream = torch.get_rng_state()
    for _ in range(3):
        model.train_step(batch)
    torch.set_rng_state(stream)
    for _ in range(3):
        resumed.train_step(batch)
    assert all(value.equal(resumed.state_dict()[name]) for name, value in model.state_dict().items())


@each_model
def test_a_step_runs_under_autocast_with_losses_in_full_precision(model_class: type[GAN]) -> None:
    model = small(model_class)
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.train_step(batch_for(model))
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())


@each_model
def test_nets_that_make_fakes_can_be_copied_and_are_named(model_class: type[GAN]) -> None:
    model = small(model_class)
    assert all(size_of(copy.deepcopy(getattr(model, name))) for name in model.generators)
    assert set(model.twice_differentiated) <= {name for name, _ in model.named_children()}


def test_stargan_asks_for_labels_of_other_pictures() -> None:
    model: Any = small(StarGAN, n_critic=1)
    asked: list[Tensor] = []
    model.generator.register_forward_pre_hook(lambda net, inputs: asked.append(inputs[1]))
    batch = batch_for(model, num=64)
    model.train_step(batch)
    for labels in asked:
        assert labels.sort(dim=0).values.equal(batch.labels.sort(dim=0).values)  # type: ignore[union-attr]
        assert sorted(labels.tolist()) == sorted(batch.labels.tolist())  # type: ignore[union-attr]
    there, back = asked[1:]  # of the generator's step
    assert back.equal(batch.labels)  # type: ignore[arg-type]
    assert not there.equal(back)


def test_the_generator_of_stargan_moves_every_fifth_time_also_after_a_restart() -> None:
    model = small(StarGAN, n_critic=5)
    moved = ["generator" in model.train_step(batch_for(model)) for _ in range(7)]
    resumed = small(StarGAN, n_critic=5)
    resumed.load_state_dict(model.state_dict())
    moved += ["generator" in resumed.train_step(batch_for(model)) for _ in range(5)]
    assert moved == [False, False, False, False, True] * 2 + [False] * 2


def test_cyclegan_goes_both_ways_by_nets_of_its_own() -> None:
    model, batch = small(CycleGAN), batch_for(small(CycleGAN))
    swapped = Batch(batch.source, None, batch.images)  # type: ignore[arg-type]
    with sampling(model) as rng:
        assert not model.fake_sources(batch, rng).equal(model.fakes(swapped, rng))
    with pytest.raises(NotImplementedError, match="one way"):
        small(Pix2Pix).fake_sources(batch, torch.Generator())


def test_a_package_adds_an_eighth_model_by_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(__file__).parents[1] / "examples" / "eighth_model"
    (line,) = [line for line in (package / "pyproject.toml").read_text().splitlines() if line.startswith("hinge = ")]
    info = tmp_path / "eighth_model-0.1.0.dist-info"  # as pip would write it
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: eighth-model\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[ganeval.models]\n{line.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(package)

    (entry,) = entry_points(group="ganeval.models", name="hinge")
    model_class = entry.load()
    monkeypatch.delitem(sys.modules, "hinge_gan")
    model: GAN = model_class(model_class.Config(width=8), spec_for(model_class, 8, 1))
    batch = batch_for(model)
    for _ in range(3):
        losses = model.train_step(batch)
    assert losses.keys() == {"discriminator", "generator"}
    assert made(model, batch).shape == batch.images.shape
