"""Evaluator: fix the real side once, score many fakes. `evaluate`, `fid` and `inception_score` are one-shot forms of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from ganeval.conventions import DEFAULT, Convention, convention_named
from ganeval.errors import InputError
from ganeval.extract import Need, measure
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.images import ImageSource
from ganeval.metrics import METRICS, Settings, score_key
from ganeval.metrics.frechet import Method
from ganeval.progress import Progress, silent
from ganeval.reference import Reference
from ganeval.report import Report, Score
from ganeval.side import Side, opened


class Evaluator:
    """Scores sets of fakes against one set of reals.

        evaluator = Evaluator("real/", metrics=("fid", "is"))
        report = evaluator("fake/")
        report.scores["fid"].value

    Args:
        real: anything `open_images` takes, a file of stats, a `Reference` or a `FeatureStats`. None where no metric needs reals.
        metrics: keys of METRICS.
        extractor: a name (`ganeval extractors` lists them) or an object of one's own that follows `FeatureExtractor`.
        convention: a name (`ganeval conventions`) or a `Convention`.
        weights: a state dict to use instead of the published weights; the report says so.
        device: "cpu", "cuda", "cuda:1", "mps"; None takes CUDA where there is one, else the CPU.
        batch_size: images per forward pass. It does not move a score beyond float32 rounding.
        seed: of the Inception Score's shuffle.
        num_splits: of the Inception Score; None is the convention's 10.
        method: of the Fréchet distance, "symmetric" or "sqrtm".
        skip_bad: leave out pictures that cannot be read, and count them in the report, instead of refusing to score.
        num_images: how many to draw where `real` is a generator.
        keep_features: whether `measure` and `real` keep the features of every image, for analyses beyond the metrics.

    Raises:
        InputError: anything about the input that makes a score impossible; the message says what to do.
    """

    def __init__(
        self,
        real: Any = None,
        *,
        metrics: Sequence[str] = ("fid",),
        extractor: str | FeatureExtractor = "inception",
        convention: str | Convention = DEFAULT,
        weights: str | os.PathLike[str] | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 32,
        seed: int = 2020,
        num_splits: int | None = None,
        method: Method = "symmetric",
        skip_bad: bool = False,
        num_images: int | None = None,
        keep_features: bool = False,
        progress: Progress = silent,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        self._metrics = known_metrics(metrics)
        self._settings = Settings(convention=convention_named(convention), seed=seed, num_splits=num_splits, method=method)
        self._device = chosen_device(device)
        self._batch_size = batch_size
        self._skip_bad = skip_bad
        self._keep_features = keep_features
        self._progress = progress
        # What can be refused is refused before weights are fetched and images are worked through.
        comparing = [name for name in self._metrics if METRICS[name].needs_real]
        if comparing and real is None:
            raise InputError(f"{', '.join(comparing)} compares with reals; name a set of real images")
        reals = opened(real, comparing, num_images=num_images) if comparing else None
        self.extractor = self._loaded(extractor, weights)
        self.real = None if reals is None else self._side("real", reals, comparing)

    def __call__(self, fake: Any, *, num_images: int | None = None) -> Report:
        """Score one set of fakes; `num_images` says how many to draw where `fake` is a generator."""
        return self.report(self.measure(fake, num_images=num_images))

    def measure(self, fake: Any, *, num_images: int | None = None) -> Side:
        """The first half of a call: one pass over the fakes."""
        return self._side("fake", opened(fake, self._metrics, num_images=num_images), self._metrics)

    @property
    def reference(self) -> Reference:
        """The real side, to be saved and used again.

        Raises:
            InputError: no chosen metric needs stats of the reals.
        """
        if self.real is None or self.real.measured.stats is None:
            raise InputError("there are no stats of reals: no chosen metric needs them")
        if self.real.reference is not None:
            return self.real.reference
        identity = identity_of(self.extractor)
        made_with = {
            "extractor": self.extractor.name,
            "convention": self._settings.convention.name,
            "preprocessing": identity.preprocessing,
            "weights_sha256": identity.weights_sha256,
            "images": self.real.provenance,
            "versions": versions(),
        }
        return Reference(stats=self.real.measured.stats, made_with=made_with)

    def _loaded(self, extractor: str | FeatureExtractor, weights: str | os.PathLike[str] | None) -> FeatureExtractor:
        if not isinstance(extractor, str):
            if weights is not None:
                raise InputError("weights go with an extractor named by a string; this one is an object that has its own")
            return extractor
        return load_extractor(
            extractor,
            convention=self._settings.convention,
            weights_file=None if weights is None else Path(weights),
            device=self._device,
            progress=self._progress,
        )

    def _side(self, label: Literal["real", "fake"], source: ImageSource | Reference, metrics: Sequence[str]) -> Side:
        if isinstance(source, Reference):
            source.check(self.extractor, self._settings.convention.name)
            return Side.of_reference(label, source)
        needs: set[Need] = {METRICS[name].needs for name in metrics}
        if self._keep_features:
            needs.add("features")
        measured, seen = measure(
            source,
            self.extractor,
            needs=needs,
            device=self._device,
            batch_size=self._batch_size,
            skip_bad=self._skip_bad,
            progress=self._progress,
            label=label,
        )
        return Side.of_images(label, measured, source, seen)

    def report(self, fake: Side) -> Report:
        """The second half of a call: the scores of what was measured."""
        real = None if self.real is None else self.real.measured
        scores: dict[str, Score] = {}
        titles: dict[str, str] = {}
        for name in self._metrics:
            key = score_key(name, self.extractor.name)
            scores[key] = METRICS[name].score(real, fake.measured, self._settings)
            titles[key] = self._title(name)
        return Report(
            scores=scores,
            titles=titles,
            num_real=None if self.real is None else self.real.count,
            num_fake=fake.count,
            extractor=self.extractor.name,
            convention=self._settings.convention.name,
            provenance=self._provenance(fake),
            notes=tuple(self._notes(fake)),
        )

    def _title(self, name: str) -> str:
        metric = METRICS[name]
        if self.extractor.name != "inception":
            return f"{metric.other_title} of {self.extractor.name} features, {metric.better} is better"
        standard = identity_of(self.extractor).standard
        return f"{metric.title}{'' if standard else ' of non-standard weights'}, {metric.better} is better"

    def _provenance(self, fake: Side) -> dict[str, Any]:
        """All that two scores must share to be comparable, and what else is needed to find out why they differ."""
        identity, settings = identity_of(self.extractor), self._settings
        return {
            "weights_sha256": identity.weights_sha256,
            "weights_standard": identity.standard,
            "convention": settings.convention.name,
            "preprocessing": identity.preprocessing,
            "resize": identity.preprocessing.split(",")[0],
            "dtype": "float32",  # of images, network and features; stats and scores are float64
            "device": self._device.type,
            "method": settings.method,
            "seed": settings.seed,
            "order": settings.convention.is_order,
            "num_splits": settings.num_splits or settings.convention.is_num_splits,
            "real": None if self.real is None else self.real.provenance,
            "fake": fake.provenance,
            "versions": versions(),
        }

    def _notes(self, fake: Side) -> Iterator[str]:
        name, convention = self.extractor.name, self._settings.convention
        if not identity_of(self.extractor).standard:
            yield f"these are not the standard weights of {name}: the scores compare only with others of the same file"
        undefined = [metric for metric in self._metrics if metric not in convention.defines]
        if undefined and name == "inception":
            yield (f"{convention.name} itself defines no {' and no '.join(undefined)}: computed on its preprocessing, as {DEFAULT} does")
        for side in (self.real, fake):
            if side is not None:
                yield from side.notes()


def evaluate(real: Any, fake: Any, *, num_images: int | None = None, **options: Any) -> Report:
    """`Evaluator(real, **options)(fake)`, with the fakes opened before the reals are worked through.

    `num_images` says how many to draw of whichever side is a generator.
    """
    of_real, of_fake = (num_images if callable(side) else None for side in (real, fake))
    if num_images is not None and of_real is None and of_fake is None:
        raise InputError("num_images says how many images a generator draws, but neither set is a generator; leave it out")
    fake = opened(fake, known_metrics(options.get("metrics", ("fid",))), num_images=of_fake)
    return Evaluator(real, num_images=of_real, **options)(fake)


def fid(real: Any, fake: Any, **options: Any) -> float:
    """Fréchet Inception Distance; options as for `Evaluator`. With another extractor it is that network's distance."""
    report = evaluate(real, fake, metrics=("fid",), **options)
    return next(iter(report.scores.values())).value


def inception_score(fake: Any, **options: Any) -> Score:
    """Inception Score, mean and spread over splits; options as for `Evaluator`."""
    report = evaluate(None, fake, metrics=("is",), **options)
    return next(iter(report.scores.values()))


def reference_of(images: Any, **options: Any) -> Reference:
    """Stats of a set of images with all that they were made with, to be saved; options as for `Evaluator`."""
    return Evaluator(images, metrics=("fid",), **options).reference


def known_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """The same names without repetition.

    Raises:
        InputError: no name at all, or one that is not in METRICS.
    """
    if isinstance(names, str) or not names or any(name not in METRICS for name in names):
        raise InputError(f"metrics are some of {', '.join(METRICS)}; got {names!r}")
    return tuple(dict.fromkeys(names))


def chosen_device(device: str | torch.device | None) -> torch.device:
    """The device asked for, or the best there is.

    Raises:
        InputError: a device that this machine lacks.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"the device {device} cannot be used here: {str(error).splitlines()[0]}") from None
    return chosen


def versions() -> dict[str, str]:
    """Of everything that can move a number."""
    packages = ("ganeval", "torch", "numpy", "scipy", "pillow")
    return {name: version(name) for name in packages} | {"python": platform.python_version()}
