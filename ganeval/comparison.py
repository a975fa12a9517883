"""Comparison: what to compute and with which networks; sides in, Report out. `Evaluator` and `evaluate` are its two faces."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from ganeval.cache import cached
from ganeval.conventions import DEFAULT, Convention, convention_named
from ganeval.errors import InputError
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor, Identity, identity_of
from ganeval.images import ImageSource
from ganeval.machine import chosen_device
from ganeval.measured import Need
from ganeval.metrics import Label, Sets, Settings
from ganeval.metrics.frechet import Method
from ganeval.pairing import Pairing, Pairwise, load_pairwise
from ganeval.parts import measured_together
from ganeval.plan import Names, Planned, planned
from ganeval.progress import Progress, silent
from ganeval.provenance import notes, provenance, title
from ganeval.reference import Reference
from ganeval.report import Report, Score
from ganeval.side import Side, check_count, check_held_out, check_offered, check_side, opened
from ganeval.team import Team
from ganeval.weights import WEIGHTS, local_copy

Opened = ImageSource | Reference
Keep = bool | Literal["sample"]


def kept_by(keep: Keep) -> set[Need]:
    """What extraction must keep beyond what the metrics need."""
    return {"sample"} if keep == "sample" else {"features"} if keep else set()


class Comparison:
    """The options of `Evaluator`, checked. Work begins with `load`."""

    def __init__(
        self,
        *,
        metrics: Names = ("fid",),
        extractor: str | FeatureExtractor | None = None,
        convention: str | Convention = DEFAULT,
        weights: str | os.PathLike[str] | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 32,
        seed: int = 2020,
        num_splits: int | None = None,
        num_subsets: int = 100,
        subset_size: int = 1000,
        spread: bool | None = None,
        method: Method = "symmetric",
        skip_bad: bool = False,
        keep_features: Keep = False,
        cache: bool = True,
        progress: Progress = silent,
        team: Team | None = None,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        if weights is not None and not isinstance(extractor, str | None):
            raise InputError("weights go with an extractor named by a string; this one is an object that has its own")
        if extractor is None and weights is not None:
            extractor = "inception"
        self.settings = Settings(
            convention=convention_named(convention),
            seed=seed,
            num_splits=num_splits,
            num_subsets=num_subsets,
            subset_size=subset_size,
            method=method,
            spread=spread,
        )
        self.device = chosen_device(device)
        self._extractor = extractor
        self._weights = None if weights is None else Path(weights)
        self._batch_size = batch_size
        self._skip_bad = skip_bad
        self._keep_features = keep_features
        self._cache = cache
        self._progress = progress
        self.team = team or Team()
        self.plan = planned(metrics, extractor if isinstance(extractor, str | None) else extractor.name)
        self.extractors: dict[str, FeatureExtractor] = {}
        self._pairwise: dict[str, Pairwise] = {}
        self._targets: ImageSource | None = None

    def open(self, label: Label, source: Any, *, num_images: int | None = None) -> Opened | None:
        """One side, opened and held against the plan; None where the plan does not need it.

        Raises:
            InputError: it cannot be opened, or a score cannot be computed with it.
        """
        if not self.plan.of(label):
            return None
        found = None if source is None else opened(source, num_images=num_images)
        plan = self.plan.sift(lambda one: check_side(one, label, found, self.settings))
        if isinstance(found, Reference) and len(plan.networks) > 1:
            plan = plan.sift(lambda one: found.check_network(one.extractor))
        if label != "fake":  # the next set of fakes may allow what this one does not
            self.plan = plan
        return found if plan.of(label) else None

    def load(self) -> None:
        """The networks, with their weights.

        Raises:
            InputError: no such network, or no weights for it.
        """

        failed: dict[str, InputError] = {}  # a download that failed for one metric is not tried again for the next

        def load(one: Planned) -> None:
            name = one.extractor
            if name in failed:
                raise failed[name]
            try:
                if one.metric.paired and name not in self._pairwise:
                    self._pairwise[name] = load_pairwise(name, device=self.device, progress=self._progress)
                if not one.metric.paired and name not in self.extractors:
                    self.extractors[name] = self._loaded(name)
            except InputError as error:
                failed[name] = error
                raise

        self.plan = self.plan.sift(load)

    @property
    def _networks(self) -> dict[str, Identity]:
        """Whatever makes numbers of pictures, and what its numbers depend on."""
        of_pairs = {name: network.identity for name, network in self._pairwise.items()}
        return of_pairs | {name: identity_of(extractor) for name, extractor in self.extractors.items()}

    def _loaded(self, name: str) -> FeatureExtractor:
        if not isinstance(self._extractor, str | None) and name == self._extractor.name:
            return self._extractor
        asked_for = name == (self._extractor or "inception")
        if self.plan.lenient and not asked_for and name in WEIGHTS and local_copy(WEIGHTS[name]) is None:
            raise InputError(f"the weights of {name} are not here; fetch them: ganeval weights fetch {name}")
        # A convention says how Inception is fed: beside Inception another network is fed as ever, in its place that is a mistake.
        beside = name != self._extractor and not name.startswith("inception")
        return load_extractor(
            name,
            convention=convention_named(DEFAULT) if beside else self.settings.convention,
            weights_file=self._weights if name == self._extractor else None,
            device=self.device,
            progress=self._progress,
        )

    def measure(self, label: Label, source: Opened) -> Side:
        """One pass over one side.

        Raises:
            InputError: bad images, or a reference of another network or preprocessing.
        """
        plan = self.plan.sift(lambda one: check_side(one, label, source, self.settings))
        if isinstance(source, Reference):
            if len(plan.networks) > 1:
                plan = plan.sift(lambda one: source.check_network(one.extractor))
            for name in plan.networks:
                source.check(self.extractors[name], self.settings.convention.name)
            return Side.of_reference(label, source, plan)
        pairing = None
        if self._pairwise and label == "real":
            self._targets = source
        if self._pairwise and label == "fake":
            assert self._targets is not None
            pairing = Pairing(self._targets, self._pairwise.values(), device=self.device, skip_bad=self._skip_bad)
        needs: dict[str, set[Need]] = plan.needs(label, self.settings)
        if self._keep_features:
            needs = {name: wanted | kept_by(self._keep_features) for name, wanted in needs.items()}
        together = partial(measured_together, self.team)
        run = cached(together, self.settings.convention) if self._cache else together
        measured, seen = run(
            source,
            {name: self.extractors[name] for name in needs},
            needs=needs,
            device=self.device,
            batch_size=self._batch_size,
            skip_bad=self._skip_bad,
            progress=self._progress,
            label=label,
            pairing=pairing,
            lenient=plan.lenient,
        )
        # A source that could not tell its length can now.
        plan = plan.sift(lambda one: check_count(one, label, seen.count, self.settings))
        if label != "fake":
            self.plan = plan
        return Side.of_images(label, measured, source, seen, plan, keep=bool(self._keep_features))

    def report(self, sides: Mapping[Label, Side]) -> Report:
        """The scores of what was measured; "fake" is among the sides, the others as the plan needs them.

        Raises:
            InputError: a score that is not possible with these images.
            Ended: in all processes of a team but the first.
        """
        self.team.first_goes_on()
        fake, settings = sides["fake"], self.settings
        sets = {
            name: Sets(
                real=sides["real"].measured.get(name) if "real" in sides else None,
                fake=fake.measured[name],
                held_out=sides["held-out"].measured.get(name) if "held-out" in sides else None,
            )
            for name in fake.measured
        }
        scores: dict[str, Score] = {}
        about: dict[str, dict[str, str]] = {}
        titles: dict[str, str] = {}

        def score(one: Planned) -> None:
            spread = one.metric.has_error(settings)
            check_offered(one, fake)
            check_held_out(one, sides)
            for part, found in one.metric.score(sets[one.extractor], settings, spread).items():
                key = f"{one.key}/{part}" if part else one.key
                scores[key] = found if spread else replace(found, error=None, degrees=None, deviations=None)
                titles[key] = f"within the class {part}" if part else title(one, self._networks)
                about[key] = {"metric": one.name, "extractor": one.extractor}

        plan = fake.plan.sift(score)
        counts = {label: sides[label].count if label in sides else None for label in ("real", "fake")}
        return Report(
            scores=scores,
            titles=titles,
            num_real=counts["real"],
            num_fake=counts["fake"],
            extractor=", ".join(plan.networks),
            convention=settings.convention.name,
            provenance={**provenance(settings, self.device, self._networks, sides, plan), "scores": about},
            notes=tuple(notes(settings, self._networks, sides, plan)),
        )
