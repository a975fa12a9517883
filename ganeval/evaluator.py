"""Evaluator: fix the real side once, score many fakes. `evaluate`, `fid` and `inception_score` are one-shot forms of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ganeval import catalog
from ganeval.conventions import DEFAULT, Convention, convention_named
from ganeval.errors import InputError
from ganeval.extract import Need, measure
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.images import ImageSource, Seen, open_images
from ganeval.metrics import METRICS, Measured, Settings, score_key
from ganeval.metrics.frechet import Method
from ganeval.progress import Progress, silent
from ganeval.reference import Reference, holds_stats, load_reference
from ganeval.report import Report, Score
from ganeval.stats import FeatureStats

Side = tuple[Measured, dict[str, Any], ImageSource | Reference]  # measured, its provenance, where it came from


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
        progress: Progress = silent,
    ) -> None:
        self._metrics = known_metrics(metrics)
        self._settings = Settings(
            convention=convention_named(convention), seed=seed, num_splits=num_splits, method=method
        )
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        self._needs_real = [name for name in self._metrics if METRICS[name].needs_real]
        opened = _opened(real, self._needs_real, num_images) if self._needs_real else None
        if self._needs_real and real is None:
            raise InputError(f"{', '.join(self._needs_real)} compares with reals; name a set of real images")
        self._device = chosen_device(device)
        self._batch_size = batch_size
        self._skip_bad = skip_bad
        self._progress = progress
        self.extractor: FeatureExtractor = (
            load_extractor(
                extractor,
                convention=self._settings.convention,
                weights_file=None if weights is None else Path(weights),
                device=self._device,
                progress=progress,
            )
            if isinstance(extractor, str)
            else extractor
        )
        self._real = None if opened is None else self._side(opened, self._needs_real, "real")

    def __call__(self, fake: Any, *, num_images: int | None = None) -> Report:
        """Score one set of fakes; `num_images` says how many to draw where `fake` is a generator."""
        fake_side = self._side(_opened(fake, self._metrics, num_images), self._metrics, "fake")
        real = None if self._real is None else self._real[0]
        scores: dict[str, Score] = {}
        titles: dict[str, str] = {}
        for name in self._metrics:
            metric = METRICS[name]
            key = score_key(name, self.extractor.name)
            scores[key] = metric.score(real, fake_side[0], self._settings)
            titles[key] = self._title(name)
        return Report(
            scores=scores,
            titles=titles,
            num_real=None if self._real is None else self._real[1]["count"],
            num_fake=fake_side[1]["count"],
            extractor=self.extractor.name,
            convention=self._settings.convention.name,
            provenance=self._provenance(fake_side),
            notes=tuple(self._notes(fake_side)),
        )

    @property
    def reference(self) -> Reference:
        """The real side, to be saved and used again.

        Raises:
            InputError: no chosen metric needs stats of the reals.
        """
        if self._real is None or self._real[0].stats is None:
            raise InputError("there are no stats of reals: no chosen metric needs them")
        measured, images, source = self._real
        if isinstance(source, Reference):
            return source
        identity = identity_of(self.extractor)
        assert measured.stats is not None
        made_with = {
            "extractor": self.extractor.name,
            "convention": self._settings.convention.name,
            "preprocessing": identity.preprocessing,
            "weights_sha256": identity.weights_sha256,
            "images": images,
            "versions": versions(),
        }
        return Reference(stats=measured.stats, made_with=made_with)

    def _side(self, source: ImageSource | Reference, metrics: Sequence[str], label: str) -> Side:
        if isinstance(source, Reference):
            source.check(self.extractor, self._settings.convention.name)
            return Measured(stats=source.stats), source.provenance(), source
        needs: set[Need] = {METRICS[name].needs for name in metrics}
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
        return measured, _provenance_of(source, seen), source

    def _title(self, name: str) -> str:
        metric, better = METRICS[name], f"{METRICS[name].better} is better"
        if self.extractor.name != "inception":
            return f"{metric.other_title} of {self.extractor.name} features, {better}"
        return f"{metric.title}, {better}" if identity_of(self.extractor).standard else f"{metric.title} of non-standard weights, {better}"

    def _provenance(self, fake: Side) -> dict[str, Any]:
        identity, settings = identity_of(self.extractor), self._settings
        convention = settings.convention
        return {
            "extractor": self.extractor.name,
            "weights_sha256": identity.weights_sha256,
            "weights_standard": identity.standard,
            "convention": convention.name,
            "preprocessing": identity.preprocessing,
            "resize": identity.preprocessing.split(",")[0],
            "dtype": "float32",
            "stats_dtype": "float64",
            "device": self._device.type,
            "method": settings.method,
            "seed": settings.seed,
            "order": convention.is_order,
            "num_splits": settings.num_splits or convention.is_num_splits,
            "real": None if self._real is None else self._real[1],
            "fake": fake[1],
            "versions": versions(),
        }

    def _notes(self, fake: Side) -> list[str]:
        convention = self._settings.convention
        notes = []
        if not identity_of(self.extractor).standard:
            notes.append(f"these are not the standard weights of {self.extractor.name}: the scores compare only with others of the same file")
        if self.extractor.name == "inception":
            notes += [
                f"{convention.name} itself defines no {METRICS[name].title}; this is its preprocessing with {'the rules of ttur' if name == 'is' else 'the usual distance'}"
                for name in self._metrics
                if name not in convention.defines
            ]
        sides = [("real", self._real)] if self._real is not None else []
        for label, side in [*sides, ("fake", fake)]:
            assert side is not None
            notes += self._side_notes(label, side)
        return notes

    def _side_notes(self, label: str, side: Side) -> list[str]:
        measured, provenance, source = side
        notes = []
        count, stats = provenance["count"], measured.stats
        if stats is not None and count is not None and count <= stats.dim:
            notes.append(
                f"{count:,} {label} images for {stats.dim:,} features: the covariance has rank {count - 1:,} at most, and the distance "
                "comes out too large; compare only scores of equal counts"
            )
        if isinstance(source, Reference):
            if source.made_with is None:
                stated = "the index of references" if source.assumed else "nothing in it"
                notes.append(f"{source.where} does not say how it was made: taken as inception, {self._settings.convention.name}, by {stated}")
            return notes
        notes += [f"{number:,} {label} images: {what}" for what, number in provenance["remarks"].items()]
        if provenance["num_skipped"]:
            notes.append(f"{provenance['num_skipped']:,} bad {label} images were left out (--skip-bad): {'; '.join(provenance['skipped'])}")
        if provenance["num_ignored"]:
            notes.append(f"{provenance['num_ignored']:,} {label} files are no pictures by their name and were ignored")
        return notes


def evaluate(real: Any, fake: Any, *, num_images: int | None = None, **options: Any) -> Report:
    """`Evaluator(real, **options)(fake)`, with the fakes checked before the reals are worked through."""
    metrics = known_metrics(options.get("metrics", ("fid",)))
    if not isinstance(fake, (Reference, FeatureStats)):
        fake = _opened(fake, metrics, num_images if callable(fake) else None)
    real_count = num_images if callable(real) else None
    if num_images is not None and real_count is None and not isinstance(fake, Reference) and fake.kind != "generator":
        raise InputError("num_images says how many images a generator draws, but neither set is a generator; leave it out")
    return Evaluator(real, num_images=real_count, **options)(fake)


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
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names or isinstance(names, str):
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


def _opened(source: Any, metrics: Sequence[str], num_images: int | None) -> ImageSource | Reference:
    """Stats where they suffice, else images."""
    if isinstance(source, Reference):
        reference = source
    elif isinstance(source, FeatureStats):
        reference = Reference(stats=source, made_with=None)
    elif isinstance(source, (str, os.PathLike)) and holds_stats(Path(source)):
        reference = load_reference(Path(source))
    elif isinstance(source, str) and source in catalog.listed() and not Path(source).exists():
        entry = catalog.named(source)
        if not entry.path.exists():
            raise InputError(f"the reference {source} is not on this machine yet; run: ganeval stats fetch {source}")
        reference = load_reference(catalog.fetch(source), assumed=entry.convention)
    elif hasattr(source, "batches") and hasattr(source, "where"):
        opened: ImageSource = source
        return opened
    else:
        return open_images(source, num_images=num_images)
    images_only = [name for name in metrics if METRICS[name].needs != "stats"]
    if images_only:
        raise InputError(f"{reference.where} holds stats, but {', '.join(images_only)} needs the images themselves")
    return reference


def _provenance_of(source: ImageSource, seen: Seen) -> dict[str, Any]:
    return {"source": source.kind, **seen.provenance(), "num_ignored": getattr(source, "num_ignored", 0)}
