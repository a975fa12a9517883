"""The models: sizes known from the papers and their code, losses at points known in closed form, fakes that depend on nothing else."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.gan import GAN
from ganeval.training.sampling import sampling
from ganeval_models.blocks.patch import PatchGAN, receptive_field
from ganeval_models.blocks.pool import ImagePool
from ganeval_models.cgan import CGAN, CGANConfig
from ganeval_models.cyclegan import CycleGAN, CycleGANConfig
from ganeval_models.dcgan import DCGAN, DCGANConfig
from ganeval_models.gan import VanillaGAN, VanillaGANConfig
from ganeval_models.losses import distance, gradient_penalty, log_loss, squared_loss
from ganeval_models.lsgan import LSGAN, LSGANConfig
from ganeval_models.pix2pix import Pix2Pix, Pix2PixConfig
from ganeval_models.stargan import StarGAN, StarGANConfig

MODELS: tuple[type[GAN], ...] = (VanillaGAN, DCGAN, CGAN, LSGAN, Pix2Pix, CycleGAN, StarGAN)
SMALL: dict[type[GAN], Any] = {
    VanillaGAN: VanillaGANConfig(),
    DCGAN: DCGANConfig(g_width=4, d_width=4),
    CGAN: CGANConfig(),
    LSGAN: LSGANConfig(g_width=4, d_width=4, z_dim=8),
    Pix2Pix: Pix2PixConfig(g_width=4, d_width=4, d_layers=2),
    CycleGAN: CycleGANConfig(g_width=4, d_width=4, d_layers=1, residual_blocks=1, pool_size=4),
    StarGAN: StarGANConfig(g_width=4, d_width=4, residual_blocks=1, n_critic=1),
}


pytestmark = pytest.mark.usefixtures("one_thread")


each_model = pytest.mark.parametrize("model_class", MODELS, ids=lambda model_class: model_class.__name__)


def spec_for(model_class: type[GAN], image_size: int = 32, channels: int = 3, num_labels: int = 3) -> DataSpec:
    names = tuple(f"label-{index}" for index in range(num_labels)) if model_class.task in ("classes", "attributes") else ()
    return DataSpec(task=model_class.task, image_size=image_size, channels=channels, label_names=names)


def small(model_class: type[GAN], **changes: Any) -> GAN:
    torch.manual_seed(0)
    return model_class(replace(SMALL[model_class], **changes), spec_for(model_class))


def batch_for(model: GAN, num: int = 4, seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    shape = (num, model.spec.channels, model.spec.image_size, model.spec.image_size)
    images, source = (torch.rand(shape, generator=rng) * 2 - 1 for _ in range(2))
    labels = None
    if model.spec.task == "classes":
        labels = torch.arange(num) % model.spec.num_labels
    if model.spec.task == "attributes":
        labels = torch.randint(2, (num, model.spec.num_labels), generator=rng).float()
    return Batch(images, labels, source)


def made(model: GAN, batch: Batch, seed: int = 0) -> Tensor:
    with sampling(model, seed=seed) as rng:
        return model.fakes(batch, rng)


def size_of(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def preset(model_class: type[GAN], name: str = "paper", *, image_size: int | None = None, num_labels: int = 10) -> GAN:
    chosen = model_class.presets[name]
    return model_class(chosen.config, spec_for(model_class, image_size or chosen.image_size, chosen.channels, num_labels))


@pytest.mark.parametrize(
    ("model", "nets"),
    [
        (lambda: preset(VanillaGAN), {"generator": 1_486_352, "discriminator": 1_460_225}),
        (lambda: preset(DCGAN, "article"), {"generator": 1_068_928, "discriminator": 663_424}),
        (lambda: preset(DCGAN, "article-64"), {"generator": 18_872_323}),
        (lambda: preset(DCGAN, "blog"), {"generator": 4_514_825, "discriminator": 4_310_401}),
        (lambda: preset(DCGAN, "pytorch-example"), {"generator": 3_576_704, "discriminator": 2_765_568}),
        (
            lambda: DCGAN(DCGANConfig(prior="normal", bias=True, kernel=4), spec_for(DCGAN, 64)),
            {"generator": 12_675_715},
        ),
        (lambda: preset(CGAN, "article"), {"generator": 803_000, "discriminator": 121_829}),
        (lambda: preset(LSGAN, "article"), {"generator": 1_486_352, "discriminator": 1_460_225}),
        (lambda: preset(Pix2Pix), {"generator": 54_413_955, "discriminator": 2_768_705}),
        (lambda: preset(CycleGAN), {"to_target": 11_378_179, "to_source": 11_378_179, "target_discriminator": 2_764_737}),
        (lambda: preset(CycleGAN, image_size=128), {"to_target": 7_837_699, "source_discriminator": 2_764_737}),
        (lambda: preset(StarGAN, num_labels=5), {"generator": 8_430_528, "discriminator": 44_762_048}),
    ],
)
def test_nets_have_the_published_number_of_parameters(model: Callable[[], GAN], nets: dict[str, int]) -> None:
    built = model()
    assert {name: size_of(getattr(built, name)) for name in nets} == nets


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_patches_are_of_the_papers_size(layers: int, field: int) -> None:
    assert receptive_field(PatchGAN(3, width=2, layers=layers)) == field


def test_a_patch_is_what_a_logit_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(1, 3, 128, 128, requires_grad=True)
    net = PatchGAN(3, width=4, layers=3, norm="instance")
    for layer in net.layers:
        if isinstance(layer, nn.InstanceNorm2d):  # its statistics see everything
            monkeypatch.setattr(layer, "forward", lambda x: x)
    logits = net(images)
    assert logits.shape == (1, 1, 14, 14)
    (gradient,) = torch.autograd.grad(logits[0, 0, 7, 7], images)
    assert (gradient[0].abs().sum(dim=0).sum(dim=0) > 0).sum() == 70


def test_article_003_has_patches_of_142_pixels() -> None:
    assert receptive_field(preset(Pix2Pix, "article").discriminator) == 142  # type: ignore[arg-type]


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
    torch.manual_seed(0)
    model = model_class(SMALL[model_class], spec_for(model_class, image_size, channels))
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


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_pix2pix_drops_half_of_its_inner_channels_also_in_evaluation(norm: str) -> None:
    net: Any = small(Pix2Pix, norm=norm).eval().generator
    (masks,) = net.masks(2000, device=torch.device("cpu"))
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    assert masks.mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("conditioning", ["onehot-concat", "embed-concat", "projection"])
def test_both_players_of_cgan_hear_the_class(conditioning: str) -> None:
    model: Any = small(CGAN, conditioning=conditioning)
    batch = batch_for(model)
    assert batch.labels is not None
    other = batch._replace(labels=(batch.labels + 1) % 3)
    assert not made(model, other).allclose(made(model, batch))
    model.eval()
    assert not model.discriminator(batch.images, other.labels).allclose(model.discriminator(batch.images, batch.labels))


def test_losses_are_those_of_the_papers() -> None:
    logits = torch.tensor([-30.0, -1.0, 0.0, 2.0, 30.0], dtype=torch.float64)
    for label in (0.0, 0.9, 1.0):
        torch.testing.assert_close(
            log_loss(logits, label).double(),
            nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label)),
            rtol=1e-6,
            atol=1e-6,
        )
    assert log_loss(torch.zeros(3, 1, 2, 2), 1).item() == pytest.approx(math.log(2))
    assert squared_loss(torch.tensor([0.0, 2.0]), -1).item() == pytest.approx((1 + 9) / 2)
    assert distance(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0])).item() == pytest.approx(2)
    assert distance(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0]), "l2").item() == pytest.approx(5)


LOG2 = math.log(2)


@pytest.mark.parametrize(
    ("model_class", "changes", "losses"),
    [
        (VanillaGAN, {}, {"discriminator": 2 * LOG2, "generator": LOG2}),
        (VanillaGAN, {"loss": "saturating", "real_label": 0.9}, {"discriminator": 2 * LOG2, "generator": -LOG2}),
        (DCGAN, {}, {"discriminator": 2 * LOG2, "generator": LOG2}),
        (CGAN, {}, {"discriminator": 2 * LOG2, "generator": LOG2}),
        (LSGAN, {}, {"discriminator": 0.5, "generator": 0.5}),
        (LSGAN, {"a": -1.0, "b": 1.0, "c": 0.0}, {"discriminator": 1.0, "generator": 0.0}),
        (LSGAN, {"a": 3.0, "b": 2.0, "c": 1.0, "nets": "mlp"}, {"discriminator": 6.5, "generator": 0.5}),
        (Pix2Pix, {}, {"discriminator": LOG2, "generator": LOG2}),
        (CycleGAN, {}, {"discriminator": 1.0, "generator": 2.0}),
        (CycleGAN, {"adversarial": "log"}, {"discriminator": 2 * LOG2, "generator": 2 * LOG2}),
        (
            StarGAN,
            {},
            {
                "discriminator": 0.0,
                "generator": 0.0,
                "gradient_penalty": 1.0,
                "classification": 3 * LOG2,  # summed over the attributes
                "fake_classification": 3 * LOG2,
            },
        ),
    ],
)
def test_losses_of_a_discriminator_that_says_0_are_known(model_class: type[GAN], changes: dict[str, Any], losses: dict[str, float]) -> None:
    model = small(model_class, lr=0.0, **changes)
    for name, net in model.named_children():
        if "discriminator" in name:
            for parameter in net.parameters():
                nn.init.zeros_(parameter)
    found = model.train_step(batch_for(model))
    assert {name: found[name].item() for name in losses} == pytest.approx(losses, abs=1e-5)


def test_gradient_penalty_of_a_linear_critic_is_known() -> None:
    real, fake = torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4)
    slope = torch.randn(3, 4, 4)

    def critic(images: Tensor) -> Tensor:
        score = (images * slope).sum(dim=(1, 2, 3))
        return torch.stack([score, 2 * score], dim=1)  # a map of two patches: their gradients add

    assert gradient_penalty(critic, real, fake).item() == pytest.approx((3 * slope.norm().item() - 1) ** 2, rel=1e-5)


def test_gradient_penalty_is_taken_between_a_real_and_its_fake() -> None:
    seen: list[Tensor] = []

    def critic(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return images.sum(dim=(1, 2, 3))

    gradient_penalty(critic, torch.zeros(1000, 1, 2, 2), torch.ones(1000, 1, 2, 2))
    (points,) = seen
    shares = points[:, 0, 0, 0]
    assert points.equal(shares[:, None, None, None].expand_as(points))  # one share per picture
    assert 0 <= shares.min() < 0.01
    assert 0.99 < shares.max() <= 1
    assert shares.mean() == pytest.approx(0.5, abs=0.05)


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


def test_an_image_pool_returns_half_of_the_fakes_later() -> None:
    torch.manual_seed(0)
    pool = ImagePool(50, 1, 2)
    numbered = [torch.full((1, 1, 2, 2), float(number)) for number in range(2000)]
    given = [int(pool.exchanged(fake)[0, 0, 0, 0]) for fake in numbered]
    assert given[:50] == list(range(50))
    late = [age for number, value in list(enumerate(given))[50:] if (age := number - value)]
    assert len(late) / 1950 == pytest.approx(0.5, abs=0.05)
    assert sum(late) / len(late) == pytest.approx(100, rel=0.25)  # each step takes one of 50 places with probability ½
    assert len(set(given[50:])) == 1950  # each is given once


def test_an_image_pool_without_room_passes_fakes_on() -> None:
    fakes = torch.randn(3, 1, 2, 2)
    assert ImagePool(0, 1, 2).exchanged(fakes).equal(fakes)


def test_stargan_asks_for_labels_of_other_pictures() -> None:
    model: Any = small(StarGAN)
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


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DCGAN(DCGANConfig(), spec_for(DCGAN, 28)), "28.*image-size"),
        (lambda: small(DCGAN, kernel=3), "kernel must be 4 or 5, got 3"),
        (lambda: small(DCGAN, bottom=3), "bottom must be 2, 4 or 8, got 3"),
        (lambda: LSGAN(LSGANConfig(), spec_for(LSGAN, 28)), "28.*--image-size"),
        (lambda: small(LSGAN, a=1.0), "a and b must differ"),
        (lambda: small(VanillaGAN, real_label=1.1), "real_label.*1.1"),
        (lambda: small(VanillaGAN, dropout=1.0), "dropout.*got 1"),
        (lambda: CGAN(CGANConfig(), spec_for(CGAN, num_labels=0)), "two classes or more"),
        (lambda: CGAN(CGANConfig(), spec_for(CGAN, 30)), "divisible by 4, got 30"),
        (lambda: small(CGAN, last_kernel=4), "last_kernel must be odd, got 4"),
        (lambda: small(CGAN, d_levels=6), "32 pixels, got d_width 64 and d_levels 6"),
        (lambda: small(CGAN, d_width=0), "got d_width 0"),
        (lambda: Pix2Pix(Pix2PixConfig(), spec_for(CycleGAN)), "'domains'; cyclegan"),
        (lambda: Pix2Pix(Pix2PixConfig(), spec_for(Pix2Pix, 28)), "got 28"),
        (lambda: small(Pix2Pix, lambda_l1=-1.0), "lambda_l1 must not be negative, got -1"),
        (lambda: small(Pix2Pix, d_layers=4), "d_layers.*32 pixels, got 4"),
        (lambda: CycleGAN(CycleGANConfig(), spec_for(Pix2Pix)), "'pairs'; pix2pix"),
        (lambda: small(CycleGAN, lambda_cycle=-10.0), "lambda_cycle must not be negative, got -10"),
        (lambda: CycleGAN(CycleGANConfig(), spec_for(CycleGAN, 30)), "divisible by 4.*got 30"),
        (lambda: StarGAN(StarGANConfig(), spec_for(StarGAN, num_labels=0)), "attributes.*with 0"),
        (lambda: StarGAN(StarGANConfig(), spec_for(StarGAN, 48)), "got 48"),
        (lambda: small(StarGAN, n_critic=0), "n_critic must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_built_is_refused_with_value_and_remedy(build: Callable[[], GAN], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()


@each_model
def test_options_can_be_read_off_the_configuration(model_class: type[GAN]) -> None:
    hints = get_type_hints(model_class.Config, include_extras=True)
    for field in fields(model_class.Config):
        kind, about = get_args(hints[field.name])
        assert about.endswith(".")
        assert kind in (int, float, bool) or (get_origin(kind) is Literal and all(isinstance(value, str) for value in get_args(kind)))
        assert isinstance(field.default, kind if isinstance(kind, type) else str)


@each_model
def test_presets_begin_with_the_paper_and_have_a_quick_one(model_class: type[GAN]) -> None:
    assert next(iter(model_class.presets)) == "paper"
    assert model_class.presets["paper"].config == model_class.Config()
    assert all(isinstance(chosen.config, model_class.Config) and chosen.about for chosen in model_class.presets.values())
    quick = preset(model_class, "quick", num_labels=5)
    assert len(made(quick, batch_for(quick, num=2))) == 2


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
