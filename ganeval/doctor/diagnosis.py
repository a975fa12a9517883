"""Diagnosis: what is wrong with two sets of images, and what it does to their score."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ganeval.conventions import DEFAULT, Convention, convention_named
from ganeval.doctor.check import Found, Sides
from ganeval.doctor.checks import CHECKS
from ganeval.doctor.finding import Finding
from ganeval.doctor.sample import Label, Sample, Wanted, sampled
from ganeval.doctor.scorer import Scorer
from ganeval.errors import InputError
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor
from ganeval.images import ImageSource, open_images
from ganeval.machine import chosen_device
from ganeval.progress import Progress, silent
from ganeval.seeds import check_seed

INCEPTION_DIM = 2048  # of the network that `ganeval fid` takes where none is named
ILL = ("wrong", "doubtful")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the doctor found.

    Attributes:
        findings: the gravest first.
        num_images: of each side.
        num_looked: how many of them were looked at.
        score_key: what the score is called that shifts are of, "fd_tiny"; None where nothing was measured.
        score: of the sample as it is; None where there is none.
        num_scored: how many images of each side it is of.
        seed: of the sample.
    """

    findings: tuple[Finding, ...]
    num_images: Mapping[Label, int]
    num_looked: Mapping[Label, int]
    score_key: str | None
    score: float | None
    num_scored: Mapping[Label, int]
    seed: int

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong or doubtful."""
        return not any(finding.severity in ILL for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values. Keys: the attributes, and healthy."""
        return {
            "healthy": self.healthy,
            "findings": [finding.to_dict() for finding in self.findings],
            "num_images": dict(self.num_images),
            "num_looked": dict(self.num_looked),
            "score_key": self.score_key,
            "score": self.score,
            "num_scored": dict(self.num_scored),
            "seed": self.seed,
        }

    def to_json(self) -> str:
        """`to_dict` as one line, without NaN."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        """For people: each finding with its remedy, then what was looked at and measured."""
        lines = [_told(finding, self.score_key) for finding in self.findings] or ["nothing found"]
        looked = ", ".join(f"{self.num_looked[label]:,} of {total:,} {label}s" for label, total in self.num_images.items())
        lines.append(f"looked at {looked} (seed {self.seed})")
        if self.score is not None:
            images = " and ".join(f"{number:,} {label}s" for label, number in self.num_scored.items())
            lines[-1] += f"; {self.score_key} of {images} of them is {self.score:.4g}, and shifts are of that number"
        return "\n".join(lines)


def _told(finding: Finding, score_key: str | None) -> str:
    from rich.console import Console
    from rich.padding import Padding

    side = {"real": "real: ", "fake": "fake: ", "both": ""}[finding.where]
    shift = "" if finding.shift is None else f" Without it {score_key} moves by {finding.shift:+.3g}."
    files = f" In: {', '.join(finding.files[:3])}{' …' if (finding.count or 0) > 3 else ''}" if finding.files else ""
    console = Console(file=io.StringIO(), width=120, color_system=None, highlight=False, markup=False, emoji=False)
    console.print(f"{finding.severity}  {finding.check}", soft_wrap=True)
    console.print(Padding(f"{side}{finding.what}.{shift}{files}\nmend: {finding.remedy.format(**finding.values)}.", (0, 0, 1, 4)))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def diagnose(
    real: Any,
    fake: Any = None,
    *,
    sample: int = 2000,
    seed: int = 2020,
    extractor: str | FeatureExtractor | None = None,
    weights: str | Path | None = None,
    convention: str | Convention = DEFAULT,
    device: str | torch.device | None = None,
    measure: bool = True,
    num_images: int | None = None,
    progress: Progress = silent,
) -> Diagnosis:
    """Look for what makes a score of `fake` against `real` one of something else; or for what is wrong with one set alone.

    Args:
        real, fake: anything `open_images` takes.
        sample: how many pictures of each side to look at, picked by chance. Equal files are looked for among all.
        seed: of that choice.
        extractor: the network to measure with, and to hold the number of images against; None measures with "tiny", which needs no
            download, and counts the 2,048 features of Inception.
        weights: a state dict to use instead of the published weights of the extractor.
        convention: with which the set is to be scored: whether the order of the fakes matters.
        measure: whether to measure how far each finding moves the score.
        num_images: how many to draw of whichever side is a generator.

    Raises:
        InputError: a side that cannot be opened, none of whose pictures can be read, or no such network.
    """
    check_seed(seed)
    if sample < 2:
        raise InputError(f"a sample has at least 2 pictures, got {sample}")
    given: dict[Label, Any] = {"real": real} if fake is None else {"real": real, "fake": fake}
    sources = [Wanted(label, _opened(one, num_images)) for label, one in given.items()]
    here, chosen = chosen_device(device), convention_named(convention)
    network = _network(extractor, weights, chosen, here, progress) if measure or extractor is not None else None
    samples: dict[Label, Sample] = {one.label: one for one in sampled(sources, number=sample, seed=seed, progress=progress)}
    scorer = Scorer(samples, network, device=here, progress=progress) if measure and network is not None else None
    sides = Sides(
        real=samples["real"],
        fake=samples.get("fake"),
        dim=network.dim if network is not None and extractor is not None else INCEPTION_DIM,
        network=network.name if network is not None and extractor is not None else "inception",
        stored_order=chosen.is_order == "stored",
        scorer=scorer,
    )
    found = [one for check in CHECKS.values() for one in check(sides)]
    findings = [_measured(one, scorer) for one in found]
    scored = None if scorer is None else scorer.score
    return Diagnosis(
        findings=tuple(sorted(findings, key=lambda finding: ("wrong", "doubtful", "notable").index(finding.severity))),
        num_images={label: one.num_images for label, one in samples.items()},
        num_looked={label: len(one.pictures) + len(one.bad) for label, one in samples.items()},
        score_key=None if scorer is None or scored is None else scorer.key,
        score=scored,
        num_scored={} if scorer is None or scored is None else scorer.num_scored,
        seed=seed,
    )


def _opened(images: Any, num_images: int | None) -> ImageSource:
    return images if isinstance(images, ImageSource) else open_images(images, num_images=num_images if callable(images) else None)


def _network(
    extractor: str | FeatureExtractor | None, weights: str | Path | None, convention: Convention, device: torch.device, progress: Progress
) -> FeatureExtractor:
    if weights is not None and extractor is None:
        extractor = "inception"
    if extractor is not None and not isinstance(extractor, str):
        return extractor
    # What is embedded knows no conventions; one that is about Inception is then for the order only.
    fed = convention if extractor is not None else convention_named(DEFAULT)
    return load_extractor(
        extractor or "tiny", convention=fed, weights_file=None if weights is None else Path(weights), device=device, progress=progress
    )


def _measured(found: Found, scorer: Scorer | None) -> Finding:
    if found.cure is None or scorer is None:
        return found.finding
    return replace(found.finding, shift=found.cure(scorer))
