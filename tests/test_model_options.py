"""Configurations of the models: what can be built, and what is said of what cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from ganeval.errors import InputError
from ganeval.training.gan import GAN
from ganeval_models.cgan import CGAN, CGANConfig
from ganeval_models.cyclegan import CycleGAN, CycleGANConfig
from ganeval_models.dcgan import DCGAN, DCGANConfig
from ganeval_models.gan import VanillaGAN
from ganeval_models.lsgan import LSGAN, LSGANConfig
from ganeval_models.pix2pix import Pix2Pix, Pix2PixConfig
from ganeval_models.stargan import StarGAN, StarGANConfig
from small_models import batch_for, made, preset, small, spec_for

MODELS = (VanillaGAN, DCGAN, CGAN, LSGAN, Pix2Pix, CycleGAN, StarGAN)

pytestmark = pytest.mark.usefixtures("one_thread")

each_model = pytest.mark.parametrize("model_class", MODELS, ids=lambda model_class: model_class.__name__)


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
        (lambda: small(CGAN, d_width=0), "d_width must be at least 1, got 0"),
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
        (lambda: small(DCGAN, z_dim=-1), "z_dim must be at least 1, got -1"),
        (lambda: small(DCGAN, batch_size=10**29), "batch_size must be between 1 and 65536, got 1000"),
        (lambda: small(CycleGAN, pool_size=-1), "pool_size must be at least 0, got -1"),
        (lambda: small(Pix2Pix, lambda_l1=float("nan")), "lambda_l1 must be a finite number, got nan"),
        (lambda: small(VanillaGAN, beta1=1.5), "beta1 must be between 0 and 1, got 1.5"),
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
