"""Scorer: a model in training → its scores on held-out pictures, by the same lines for all tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from ganeval.conventions import DEFAULT, convention_named
from ganeval.errors import InputError
from ganeval.evaluator import Evaluator
from ganeval.extract import measure
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor
from ganeval.images import open_images
from ganeval.machine import chosen_device
from ganeval.measured import Measured
from ganeval.metrics import METRICS, score_key
from ganeval.pairing import load_pairwise
from ganeval.plan import planned
from ganeval.progress import Progress, silent
from ganeval.provenance import as_provenance
from ganeval.report import Report, Score
from ganeval.side import Side
from ganeval.training import tasks
from ganeval.training.data import Pictures, Split, Stored, TrainingData
from ganeval.training.extras import EXTRAS, Context, Extra, Made
from ganeval.training.gan import GAN
from ganeval.training.guard import Diversity, diversity
from ganeval.training.probe import Probe
from ganeval.training.sampling import sampling
from ganeval.training.tasks import Wanted

Half = Literal["choose", "report", "test", "train"]
PROBED = 4000  # training pictures that the probe is fitted on


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """What one scoring of a model gives."""

    report: Report
    diversity: Diversity
    chosen_by: str  # the key of the score by which checkpoints are chosen; lower is better

    @property
    def choice(self) -> float:
        return self.report.scores[self.chosen_by].value

    def to_dict(self) -> dict[str, Any]:
        scores = {key: {"value": score.value, "spread": score.spread, "error": score.error} for key, score in self.report.scores.items()}
        return {"scores": scores, "titles": dict(self.report.titles), "diversity": self.diversity.to_dict()}


class Scorer:
    """Scores models of one data set. The real sides and the extractor are loaded once.

    Args:
        data: what is scored against is its test split, in two halves: one to choose a checkpoint by, the other to report.
        metrics: keys of METRICS; "fid" is always among them, it chooses.
        extractor, convention, weights, device, batch_size: as for `Evaluator`.
    """

    def __init__(
        self,
        data: TrainingData,
        *,
        metrics: Sequence[str] = ("fid",),
        extractor: str | FeatureExtractor = "tiny",
        convention: str = DEFAULT,
        weights: str | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 64,
        progress: Progress = silent,
    ) -> None:
        self._data = data
        self._device = chosen_device(device)
        self._batch_size = batch_size
        self._options: dict[str, Any] = {
            "convention": convention,
            "device": device,
            "batch_size": batch_size,
            "metrics": ("fid", *metrics),
            "progress": progress,
        }
        if isinstance(extractor, str):
            extractor = load_extractor(
                extractor,
                convention=convention_named(convention),
                weights_file=None if weights is None else Path(weights),
                device=self._device,
                progress=progress,
            )
        self.extractor = extractor
        planned(self._options["metrics"], extractor.name)  # names that nobody knows are refused before anything is trained
        self._evaluators: dict[tuple[Half, str], Evaluator] = {}
        self._kept: dict[tuple[Half, int | None], list[Wanted]] = {}

    def __call__(
        self,
        model: GAN,
        average: AveragedModel | None = None,
        *,
        half: Half = "report",
        num_fakes: int | None = None,
        seed: int = 0,
    ) -> ScoreCard:
        """Make fakes, measure them, compare; the model is afterwards as it was.

        Args:
            half: "choose" and "report" of the test split, all of "test", or "train".
            num_fakes: of each comparison, at most as many as there are sources; None is as `tasks.wanted` has it.
            seed: of the noise.
        """
        made: list[Made] = []
        reports: dict[str, Report] = {}
        for wanted in self._wanted(half, num_fakes):
            with sampling(model, average, seed=seed) as rng:
                fakes = wanted.fakes(model, rng)
            evaluator = self._evaluator(half, wanted)
            side = evaluator.measure(fakes)
            assert evaluator.real is not None
            reports[wanted.name] = evaluator.report(side)
            features, real_features = self._features(side), self._features(evaluator.real)
            made.append(Made(wanted=wanted, fakes=fakes, features=features, real_features=real_features))
        if not made:
            raise InputError("no attribute has at least two held-out pictures with it and two without; add pictures, or choose others")

        def back(one: Made) -> Tensor:
            with sampling(model, average, seed=seed) as rng:
                return one.wanted.back(model, rng, one.fakes)

        distance = score_key("fid", self.extractor.name)
        context = Context(spec=self._data.spec, distance=distance, probe=lambda: self._probe, back=back)
        report = joined(reports)
        for figures in EXTRAS[self._data.spec.task]:
            found = figures(made, context)
            report = with_extras(report, found, self.extractor.name)
        worst = least([diversity(one.real_features, one.features) for one in made])
        return ScoreCard(report=report, diversity=worst, chosen_by=distance)

    def _wanted(self, half: Half, num_fakes: int | None) -> list[Wanted]:
        if (half, num_fakes) not in self._kept:
            self._kept[half, num_fakes] = tasks.wanted(self._split(half), self._data.spec, num_fakes)
        return self._kept[half, num_fakes]

    def _evaluator(self, half: Half, wanted: Wanted) -> Evaluator:
        key = (half, wanted.name)
        if key not in self._evaluators:
            spread = False if half == "choose" else None  # scores in training are to be cheap
            self._evaluators[key] = Evaluator(wanted.real, extractor=self.extractor, keep_features=True, spread=spread, **self._options)
        return self._evaluators[key]

    def _split(self, half: Half) -> Split:
        if half in ("train", "test"):
            return _part(self._data.train if half == "train" else self._data.test, slice(None))
        return halved(self._data.test)[0 if half == "choose" else 1]

    @cached_property
    def _probe(self) -> Probe:
        train = self._data.train
        assert train.labels is not None
        chosen = torch.randperm(len(train.images), generator=torch.Generator().manual_seed(0))[:PROBED]
        images = torch.stack([train.images[int(index)] for index in chosen])
        measured, _ = measure(
            open_images(images),
            {"probe": self.extractor},
            needs={"probe": {"features"}},
            device=self._device,
            batch_size=self._batch_size,
            label="labelled",
        )
        return Probe(_kept(measured["probe"]), train.labels[chosen], self._data.spec.num_labels)

    def _features(self, side: Side) -> Tensor:
        return _kept(side.measured[self.extractor.name])


def halved(split: Split) -> tuple[Split, Split]:
    """Two halves that never meet, by a fixed shuffle: to choose a checkpoint by, and to report."""
    return _part(split, slice(0, None, 2)), _part(split, slice(1, None, 2))


def _part(split: Split, which: slice) -> Split:
    """Shuffled: files come class by class, and the first few of them must be like all."""
    paired = split.source is not None and len(split.source) == len(split.images)
    images, chosen = _chosen(split.images, which, stream=0)
    source = None if split.source is None else _chosen(split.source, which, stream=0 if paired else 1)[0]
    return Split(images=images, labels=None if split.labels is None else split.labels[chosen], source=source)


def _chosen(pictures: Pictures, which: slice, *, stream: int) -> tuple[Stored, Tensor]:
    chosen = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(stream))[which]
    return Stored(torch.stack([pictures[int(index)] for index in chosen])), chosen


def _kept(measured: Measured) -> Tensor:
    assert measured.features is not None
    return measured.features.clone()  # made in inference mode: a copy may be used anywhere


def with_extras(report: Report, extras: Mapping[str, Extra], extractor: str) -> Report:
    """The report with more scores, of pictures as they are where METRICS knows them so, else by the extractor."""
    of_pairs = {key for key in extras if key in METRICS and METRICS[key].paired}
    about = {key: {"metric": key, "extractor": METRICS[key].network if key in of_pairs else extractor} for key in extras}
    networks = {name: as_provenance(load_pairwise(name).identity) for name in sorted({METRICS[key].network for key in of_pairs})}
    provenance = report.provenance
    return replace(
        report,
        scores={**report.scores, **{key: extra.score for key, extra in extras.items()}},
        titles={**report.titles, **{key: extra.title for key, extra in extras.items()}},
        provenance={
            **provenance,
            "networks": {**provenance["networks"], **networks},
            "scores": {**provenance["scores"], **about},
        },
    )


def joined(reports: Mapping[str, Report]) -> Report:
    """One report for all comparisons: the mean of each score, then the score of each."""
    first = next(iter(reports.values()))
    if list(reports) == [""]:
        return first
    scores: dict[str, Score] = {}
    titles: dict[str, str] = {}
    for key in first.scores:
        scores[key] = Score(sum(report.scores[key].value for report in reports.values()) / len(reports))
        titles[key] = f"mean over {len(reports)}: {first.titles[key]}"
        for name, report in reports.items():
            scores[f"{key}/{name}"], titles[f"{key}/{name}"] = report.scores[key], f"of {name}"
    about = {key: what for key, what in first.provenance["scores"].items() if key in scores}
    about |= {f"{key}/{name}": what for key, what in about.items() for name in reports}
    counts = (f"{name}: {report.num_real:,} real, {report.num_fake:,} fake" for name, report in reports.items())
    of_notes: dict[str, list[str]] = {}  # what is said after the colon → of what it is said
    for name, report in reports.items():
        for note in report.notes:
            head, _, tail = note.partition(": ")
            of_notes.setdefault(tail, []).append(f"{name} ({head})")
    notes = (f"{', '.join(heads)}: {tail}" for tail, heads in of_notes.items())
    provenance = {
        **first.provenance,
        "real": _together([report.provenance["real"] for report in reports.values()]),
        "fake": _together([report.provenance["fake"] for report in reports.values()]),
        "scores": about,
        "comparisons": {name: report.provenance for name, report in reports.items()},
    }
    num_real, num_fake = (provenance[side]["count"] for side in ("real", "fake"))
    return replace(
        first, scores=scores, titles=titles, num_real=num_real, num_fake=num_fake, provenance=provenance, notes=(*counts, *notes)
    )


def _together(sides: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What identifies the images of several comparisons."""
    digests = "".join(side["pixels_sha256"] for side in sides)
    pixels = hashlib.sha256(digests.encode()).hexdigest()
    return {"count": sum(side["count"] for side in sides), "names_sha256": None, "pixels_sha256": pixels}


def least(found: list[Diversity]) -> Diversity:
    """The worst of several comparisons: one that collapses is not made good by another."""
    return Diversity(min(one.coverage for one in found), min(one.spread for one in found))
