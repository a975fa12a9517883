"""Provenance: what goes with scores so that they can be believed and compared, for machines and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from ganeval import first_look
from ganeval.conventions import DEFAULT
from ganeval.extractors.protocol import Identity
from ganeval.machine import versions
from ganeval.metrics import Label, Settings
from ganeval.plan import Plan, Planned
from ganeval.side import Side

Identities = Mapping[str, Identity]  # by network
Sides = Mapping[Label, Side]


def title(one: Planned, identities: Identities) -> str:
    """Of one score, for people."""
    metric = one.metric
    if one.extractor != metric.network:
        return f"{metric.other_title or metric.title}, of {one.extractor} features; {metric.better} is better"
    standard = identities[one.extractor].standard
    return f"{metric.title}{'' if standard else ', of non-standard weights'}; {metric.better} is better"


def as_provenance(identity: Identity) -> dict[str, Any]:
    """Of one network, JSON-able."""
    return {
        "weights_sha256": identity.weights_sha256,
        "weights_standard": identity.standard,
        "preprocessing": identity.preprocessing,
    }


def provenance(settings: Settings, device: torch.device, identities: Identities, sides: Sides, plan: Plan) -> dict[str, Any]:
    """All that two scores must share to be comparable, and what else is needed to find out why they differ."""
    networks = {name: identities[name] for name in plan.networks}
    first = networks[plan.networks[0]]
    return {
        "weights_sha256": first.weights_sha256,
        "weights_standard": first.standard,
        "convention": settings.convention.name,
        "preprocessing": first.preprocessing,
        "resize": first.preprocessing.split(",")[0],
        "dtype": "float32",  # of images, network and features; stats and scores are float64
        "device": device.type,
        "method": settings.method,
        "seed": settings.seed,
        "order": settings.convention.is_order,
        "num_splits": settings.num_splits or settings.convention.is_num_splits,
        "num_subsets": settings.num_subsets,
        "subset_size": settings.subset_size,
        "networks": {name: as_provenance(identity) for name, identity in networks.items()},
        "real": sides["real"].provenance if "real" in sides else None,
        "held_out": sides["held-out"].provenance if "held-out" in sides else None,
        "fake": sides["fake"].provenance,
        "versions": versions(),
    }


def _between(fake: Side, real: Side | None) -> Iterator[str]:
    """What the two sides are to each other."""
    if real is None:
        return
    digest = fake.provenance.get("pixels_sha256")
    if digest is not None and digest == real.provenance.get("pixels_sha256"):
        yield f"real and fake are the same {fake.count:,} images: distances are 0 or chance, and metrics of copies find copies"
    elif real.glance is not None and fake.glance is not None:
        yield from first_look.between(real.glance, fake.glance)
    if real.count is not None and fake.count is not None and real.count < fake.count:
        yield (
            f"{real.count:,} real images for {fake.count:,} fakes: how the reals happen to be drawn moves scores more than their errors "
            f"say; use at least {fake.count:,}"
        )


def notes(settings: Settings, identities: Identities, sides: Sides, plan: Plan) -> Iterator[str]:
    """What a reader of the scores must know."""
    convention = settings.convention
    for name in plan.networks:
        if not identities[name].standard:
            yield f"these are not the standard weights of {name}: the scores compare only with others of the same file"
    undefined = [one.key for one in plan.scores if one.key in ("fid", "is") and one.key not in convention.defines]
    if undefined:
        yield (f"{convention.name} itself defines no {' and no '.join(undefined)}: computed on its preprocessing, as {DEFAULT} does")
    for side in sides.values():
        yield from side.notes()
    yield from _between(sides["fake"], sides.get("real"))
    of_reasons: dict[str, list[str]] = {}
    for key, why in plan.left_out.items():
        of_reasons.setdefault(why, []).append(key)
    for why, keys in of_reasons.items():
        yield f"{', '.join(keys)} left out: {why}"
