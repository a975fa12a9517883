"""Evaluator: fix the real side once, score many fakes. `evaluate`, `fid` and `inception_score` are one-shot forms of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganeval.comparison import Comparison, Keep, Opened
from ganeval.conventions import DEFAULT, Convention
from ganeval.doctor.finding import Finding
from ganeval.errors import InputError
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.files import check_folder
from ganeval.machine import versions
from ganeval.metrics import Label
from ganeval.metrics.frechet import Method
from ganeval.pages.language import language
from ganeval.plan import Names
from ganeval.progress import Progress, silent
from ganeval.reference import Reference
from ganeval.report import Report, Score
from ganeval.shards import Shard, shard_of
from ganeval.side import Side, opened
from ganeval.team import Team


class Evaluator:
    """Scores sets of fakes against one set of reals.

        evaluator = Evaluator("real/", metrics=("fid", "kid", "precision"))
        report = evaluator("fake/")
        report.scores["fid"].interval()

    Args:
        real: anything `open_images` takes, a file of stats, a `Reference` or a `FeatureStats`. None where no metric needs reals.
        metrics: keys of METRICS, keys of scores of other networks (`fd_tiny`), or "all" for whatever these sets and this machine allow.
        held_out: real images that the generator was not trained on, for the metrics that look for copies (`ct`, `fld`).
        extractor: a name (`ganeval extractors` lists them) or an object of one's own that follows `FeatureExtractor`, for all
            metrics whose names state no network. None is the network that each metric is defined with.
        convention: a name (`ganeval conventions`) or a `Convention`.
        weights: a state dict to use instead of the published weights; the report says so.
        device: "cpu", "cuda", "cuda:1", "mps"; None takes CUDA where there is one, else the CPU.
        batch_size: images per forward pass. It does not move a score beyond float32 rounding.
        seed: of the Inception Score's shuffle, of subsets and of k-means.
        num_splits: of the Inception Score; None is the convention's 10.
        num_subsets, subset_size: of KID.
        spread: whether to compute standard errors; None computes those that cost less than a tenth of the run.
        method: of the Fréchet distance, "symmetric" or "sqrtm".
        skip_bad: leave out pictures that cannot be read, and count them in the report, instead of refusing to score.
        num_images: how many to draw where `real` is a generator.
        keep_features: whether `measure` and `real` keep the features of every image, for analyses beyond the metrics; "sample" keeps those
            of up to 8,192 by chance, which leaves every score and its error as they are, and which `page` shows.
        cache: keep what the networks make of image files, under `$GANEVAL_HOME` or the user's cache folder, and look there first: the
            same files again are not worked through again. The report is the same. Images that come from memory are not kept.
        team: the processes to share each pass with, as the command line does under torchrun: `with team(device) as (here, device)`.
            None works alone, also within torch.distributed: a training loop scores in the processes that it chooses.

    Raises:
        InputError: anything about the input that makes a score impossible; the message says what to do.
    """

    def __init__(
        self,
        real: Any = None,
        *,
        metrics: Names = ("fid",),
        held_out: Any = None,
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
        num_images: int | None = None,
        keep_features: Keep = False,
        cache: bool = True,
        progress: Progress = silent,
        team: Team | None = None,
    ) -> None:
        self._comparison = Comparison(
            metrics=metrics,
            extractor=extractor,
            convention=convention,
            weights=weights,
            device=device,
            batch_size=batch_size,
            seed=seed,
            num_splits=num_splits,
            num_subsets=num_subsets,
            subset_size=subset_size,
            spread=spread,
            method=method,
            skip_bad=skip_bad,
            keep_features=keep_features,
            cache=cache,
            progress=progress,
            team=team,
        )
        self._reals = _reals(self._comparison, real, held_out, num_images=num_images)

    @property
    def real(self) -> Side | None:
        """The reals; None where no chosen metric needs them."""
        return self._reals.get("real")

    def __call__(self, fake: Any, *, num_images: int | None = None) -> Report:
        """Score one set of fakes; `num_images` says how many to draw where `fake` is a generator."""
        return self.report(self.measure(fake, num_images=num_images))

    def measure(self, fake: Any, *, num_images: int | None = None) -> Side:
        """The first half of a call: one pass over the fakes."""
        return self._comparison.measure("fake", _fakes(self._comparison, fake, num_images))

    def report(self, fake: Side) -> Report:
        """The second half of a call: the scores of what was measured."""
        return self._comparison.report({**self._reals, "fake": fake})

    def page(
        self,
        fake: Any,
        path: str | os.PathLike[str],
        *,
        num_images: int | None = None,
        findings: Sequence[Finding] | None = None,
        lang: str = "en",
    ) -> Report:
        """Score one set of fakes, and write what can be seen of it to an HTML file that needs nothing else.

        Pictures and feature space are in it if the evaluator was made with `keep_features="sample"`, and the fakes are a set that can be
        looked at again: not a generator or iterator.

        Args:
            findings: of the doctor; None where it was not asked.
            lang: the language of the page: "en", "vi".

        Raises:
            InputError: as a call; or no such language.
        """
        check_page(path, lang)
        side = self.measure(fake, num_images=num_images)
        report = self.report(side)
        _write_page(report, path, {**self._reals, "fake": side}, findings, lang)
        return report

    @property
    def reference(self) -> Reference:
        """The real side, to be saved and used again.

        Raises:
            InputError: no chosen metric needs stats of the reals, or several networks are at work.
            Ended: in all processes of a team but the first.
        """
        self._comparison.team.first_goes_on()
        if self.real is not None and self.real.reference is not None:
            return self.real.reference
        measured = {} if self.real is None else {name: one for name, one in self.real.measured.items() if one.stats is not None}
        if self.real is None or len(measured) != 1:
            raise InputError(f"a reference is stats of reals by one network, but here are those of {len(measured)}; use metrics=('fid',)")
        ((name, one),) = measured.items()
        assert one.stats is not None
        identity = identity_of(self._comparison.extractors[name])
        made_with = {
            "extractor": name,
            "convention": self._comparison.settings.convention.name,
            "preprocessing": identity.preprocessing,
            "weights_sha256": identity.weights_sha256,
            "images": self.real.provenance,
            "versions": versions(),
        }
        return Reference(stats=one.stats, made_with=made_with)


def evaluate(
    real: Any,
    fake: Any,
    *,
    held_out: Any = None,
    num_images: int | None = None,
    page: str | os.PathLike[str] | None = None,
    findings: Sequence[Finding] | None = None,
    lang: str = "en",
    on_report: Callable[[Report], None] | None = None,
    **options: Any,
) -> Report:
    """`Evaluator(real, **options)(fake)`, with both sides opened before one is worked through.

    `num_images` says how many to draw of whichever side is a generator. `page` is a file for what `Evaluator.page` writes; `on_report` is
    called before, so that a page for which the disk is too full costs no score.
    """
    of_real, of_fake = (num_images if callable(side) else None for side in (real, fake))
    if num_images is not None and of_real is None and of_fake is None:
        raise InputError("num_images says how many images a generator draws, but neither set is a generator; leave it out")
    if page is not None:
        check_page(page, lang)
        options.setdefault("keep_features", "sample")
    comparison = Comparison(**options)
    fakes = _fakes(comparison, fake, of_fake)
    sides = _reals(comparison, real, held_out, num_images=of_real)
    sides["fake"] = comparison.measure("fake", fakes)
    report = comparison.report(sides)
    if on_report is not None:
        on_report(report)
    if page is not None:
        _write_page(report, page, sides, findings, lang)
    return report


def check_page(path: str | os.PathLike[str], lang: str) -> None:
    """Refuse before long work what would fail after it.

    Raises:
        InputError: no such language.
        OSError: no such folder, or one that cannot be written.
    """
    language(lang)
    check_folder(Path(path))


def _write_page(
    report: Report, path: str | os.PathLike[str], sides: Mapping[Label, Side], findings: Sequence[Finding] | None, lang: str
) -> None:
    from ganeval.pages.scores import write_report  # late: matplotlib and jinja2 are for those who want a page

    write_report(report, path, sides=sides, findings=findings, lang=lang)


def _fakes(comparison: Comparison, fake: Any, num_images: int | None) -> Opened:
    opened = comparison.open("fake", fake, num_images=num_images)
    assert opened is not None  # every metric needs fakes
    return opened


def _reals(comparison: Comparison, real: Any, held_out: Any, *, num_images: int | None) -> dict[Label, Side]:
    """Both sides of real images, as far as they are needed, opened before the networks are loaded and one is worked through."""
    sides: dict[Label, Opened | None] = {
        "real": comparison.open("real", real, num_images=num_images),
        "held-out": comparison.open("held-out", held_out),
    }
    comparison.load()
    return {label: comparison.measure(label, side) for label, side in sides.items() if side is not None}


def fid(real: Any, fake: Any, **options: Any) -> float:
    """Fréchet Inception Distance; options as for `Evaluator`. With another extractor it is that network's distance."""
    report = evaluate(real, fake, metrics=("fid",), **options)
    return next(iter(report.scores.values())).value


def inception_score(fake: Any, **options: Any) -> Score:
    """Inception Score, mean and spread over splits; options as for `Evaluator`."""
    report = evaluate(None, fake, metrics=("is",), **options)
    return next(iter(report.scores.values()))


def reference_of(images: Any, *, shard: Shard | None = None, batch_size: int = 32, **options: Any) -> Reference:
    """Stats of a set of images, or of a shard of it, with all that they were made with, to be saved; options as for `Evaluator`.

    Raises:
        InputError: as `Evaluator`; or there is no such shard of these images.
    """
    options |= {"metrics": ("fid",), "batch_size": batch_size}
    if shard is None:
        return Evaluator(images, **options).reference
    source = opened(images)
    if isinstance(source, Reference):
        raise InputError(f"{source.where} holds stats, which have no shards; name the images")
    part, about = shard_of(source, shard, batch_size=batch_size)
    reference = Evaluator(part, **options).reference
    assert reference.made_with is not None
    return replace(reference, made_with={**reference.made_with, "images": {**reference.made_with["images"], "shard": about}})
