"""Figures beyond the distance, for the tasks that have a right answer: per class, label accuracy, L1, PSNR, SSIM, the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from ganeval.metrics import paired
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.uncertainty import scored_mean
from ganeval.report import Score
from ganeval.stats import FeatureStats
from ganeval.training.batch import DataSpec, Task
from ganeval.training.probe import Probe
from ganeval.training.tasks import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One comparison after its fakes were made and measured."""

    wanted: Wanted
    fakes: Tensor  # uint8 [number, channels, side, side]
    features: Tensor  # float [number, dim]
    real_features: Tensor  # float [num_real, dim]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What figures are made with."""

    spec: DataSpec
    distance: str  # the key of the Fréchet distance
    probe: Callable[[], Probe]  # fitted on training pictures
    back: Callable[[Made], Tensor]  # the fakes, translated to where they came from: uint8


class Extra(NamedTuple):
    score: Score
    title: str


Extras = dict[str, Extra]


def of_classes(made: list[Made], context: Context) -> Extras:
    """Distance within each class, and how often a fake shows the class that was asked for."""
    (only,) = made
    labels, real_labels = only.wanted.labels, only.wanted.real_labels
    assert labels is not None
    assert real_labels is not None
    distances: dict[str, float] = {}
    for index, name in enumerate(context.spec.label_names):
        fake, real = only.features[labels == index], only.real_features[real_labels == index]
        if len(fake) > 1 and len(real) > 1:
            distances[name] = frechet_distance(FeatureStats.of(real), FeatureStats.of(fake))
    key = context.distance
    found: Extras = {}
    if distances:
        mean = torch.tensor(list(distances.values()), dtype=torch.float64).mean().item()
        found[f"{key}_within_class"] = Extra(Score(mean), "mean over classes of the distance within a class, lower is better")
        found |= {f"{key}/{name}": Extra(Score(value), f"within the class {name}") for name, value in distances.items()}
    probe = context.probe()
    found["label_accuracy"] = Extra(scored_mean(probe.hits(only.features, labels)), "share of fakes that show the class asked for")
    found["label_accuracy_real"] = Extra(
        scored_mean(probe.hits(only.real_features, real_labels)), "the same of held-out reals: the ceiling"
    )
    return found


def of_pairs(made: list[Made], context: Context) -> Extras:
    """Against the one right answer."""
    (only,) = made
    target = only.wanted.target
    assert target is not None
    found = {
        "l1": Extra(scored_mean(paired.l1(only.fakes, target)), "mean absolute difference from the target, gray levels, lower is better"),
        "psnr": Extra(scored_mean(paired.psnr(only.fakes, target)), "peak signal-to-noise ratio to the target, dB, higher is better"),
    }
    if min(target.shape[2:]) >= paired.WINDOW:
        found["ssim"] = Extra(scored_mean(paired.ssim(only.fakes, target)), "structural similarity to the target, higher is better")
    return found


def of_cycles(made: list[Made], context: Context) -> Extras:
    """How far a picture that went there and back is from itself."""
    errors = []
    for one in made:
        assert one.wanted.source is not None
        errors.append(paired.l1(context.back(one), one.wanted.source))
    return {
        "cycle_l1": Extra(scored_mean(torch.cat(errors)), "mean absolute difference after there and back, gray levels, lower is better")
    }


def of_attributes(made: list[Made], context: Context) -> Extras:
    """How often a translated picture shows the attributes that it was given."""
    probe = context.probe()
    asked, all_of_them = [], []
    for one in made:
        assert one.wanted.labels is not None
        hits = probe.hits(one.features, one.wanted.labels)
        asked.append(hits[:, context.spec.label_names.index(one.wanted.name)])
        all_of_them.append(hits.flatten())
    return {
        "attribute_accuracy": Extra(scored_mean(torch.cat(asked)), "share of fakes that show the attribute asked for"),
        "labels_accuracy": Extra(scored_mean(torch.cat(all_of_them)), "share of all their attributes, changed and kept, that fakes show"),
    }


EXTRAS: Mapping[Task, tuple[Callable[[list[Made], Context], Extras], ...]] = MappingProxyType(
    {
        "images": (),
        "classes": (of_classes,),
        "pairs": (of_pairs,),
        "domains": (of_cycles,),
        "attributes": (of_attributes, of_cycles),
    }
)
