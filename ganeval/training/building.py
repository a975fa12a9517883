"""From settings to a model, whose nets are as large as those of others may be and no larger."""

from __future__ import annotations

import math

import torch

from ganeval.errors import InputError
from ganeval.training.batch import DataSpec
from ganeval.training.gan import GAN, GANConfig
from ganeval.training.models import load_model
from ganeval.training.settings import Settings

MAX_PARAMETERS = 2e9  # 8 GB; the largest model of the series has 60 million


def built(settings: Settings, spec: DataSpec) -> GAN:
    """The model, on the CPU, its weights drawn from the seed.

    Raises:
        InputError: the configuration, wrong or in a run of somebody else's, asks for nets of more than MAX_PARAMETERS.
    """
    model = load_model(settings.model)
    config = model.Config(**settings.config)
    if (size := _num_parameters(model, config, spec)) > MAX_PARAMETERS:
        raise InputError(
            f"{settings.model} would have {size:.2g} parameters with these settings, more than {MAX_PARAMETERS:.2g}; choose smaller nets"
        )
    torch.manual_seed(settings.seed)
    return model(config, spec)


def _num_parameters(model: type[GAN], config: GANConfig, spec: DataSpec) -> float:
    """Of nets that take no memory; infinite where they are too many to be counted."""
    try:
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in model(config, spec).parameters())
    except InputError:
        raise
    except Exception as error:  # also of a net of the user's own that cannot be made so: what it has to say it says when it is made
        return math.inf if "overflow" in str(error).lower() else 0
