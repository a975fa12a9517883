"""Citations: the methods sentence and the BibTeX of exactly what a report holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from ganeval.errors import InputError, printable
from ganeval.metrics import METRICS
from ganeval.report import Report

OF_EXTRACTORS: Mapping[str, tuple[str, str]] = MappingProxyType(  # name in a sentence, key in citations.bib
    {
        "inception": ("Inception-v3 of 2015-12-05", "szegedy2016rethinking"),
        "dinov2": ("DINOv2 ViT-L/14", "oquab2024dinov2"),
        "clip": ("CLIP ViT-B/32", "radford2021learning"),
        "clip-l-336": ("CLIP ViT-L/14 at 336 pixels", "radford2021learning"),
        "vgg16": ("VGG16", "simonyan2015very"),
    }
)
OF_CONVENTIONS: Mapping[str, str] = MappingProxyType(
    {
        "pytorch-fid": "seitzer2020pytorchfid",
        "clean-fid": "parmar2022aliased",
        "torchmetrics": "detlefsen2022torchmetrics",
        "ttur": "heusel2017gans",
    }
)
SPELLED: Mapping[str, str] = MappingProxyType(  # how LaTeX has its special characters
    {
        **{letter: f"\\{letter}" for letter in "{}#$%&_"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)
OF_ERRORS = ("hampel1974influence", "shao1989general")


def methods(report: Report) -> str:
    """A paragraph for a paper, in LaTeX: what was computed, of what, by which convention, and what the error is.

    Raises:
        InputError: the report, which may come from a file of somebody else's, lacks what is told or has something odd in its place.
    """
    try:
        return _methods(report)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"the report cannot be cited: {error} is missing or odd in it; score the images again") from None


def _methods(report: Report) -> str:
    provenance = report.provenance
    rows = {about["metric"]: about["extractor"] for about in provenance["scores"].values()}
    scores = ", ".join(
        rf"{_tex(key)} {_value(report, key)} \cite{{{METRICS[about['metric']].bibtex}}}"
        for key, about in provenance["scores"].items()
        if "/" not in key
    )
    reals = f" and {report.num_real:,} real" if report.num_real is not None else " and real" if provenance["real"] else ""
    digests = [(label, provenance[label]) for label in ("real", "fake") if provenance[label]]
    images = "; ".join(f"{label} {_digest(side)}" for label, side in digests)
    networks = "; ".join(
        f"{_network(name)}, weights sha256 {_tex((one['weights_sha256'] or 'unknown')[:16])}, input {_tex(one['preprocessing'])}"
        for name, one in provenance["networks"].items()
    )
    fakes = "" if report.num_fake is None else f"{report.num_fake:,} "
    sentence = (
        f"On {fakes}generated{reals} images we report {scores}, computed with ganeval {_tex(provenance['versions']['ganeval'])} by the "
        f"convention {_tex(report.convention)}{_cited(OF_CONVENTIONS.get(report.convention))} ({networks})."
    )
    if any(name in ("is", "intra_is") for name in rows):
        sentence += f" The Inception Score is over {int(provenance['num_splits'])} splits in {_tex(provenance['order'])} order"
        sentence += f" (seed {int(provenance['seed'])})." if provenance["order"] == "seeded" else "."
    if "kid" in rows:
        num, size, seed = (int(provenance[name]) for name in ("num_subsets", "subset_size", "seed"))
        sentence += f" KID is over {num} subsets of {size:,} images (seed {seed})."
    if any(score.error is not None for score in report.scores.values()):
        sentence += rf" Errors are standard errors over draws of generated images, with the real ones fixed \cite{{{','.join(OF_ERRORS)}}}."
    return f"{sentence} Images: {images}."


def bibtex(report: Report) -> str:
    """The entries that `methods` cites, in its order."""
    cited = [key for keys in re.findall(r"\\cite\{([^}]*)\}", methods(report)) for key in keys.split(",")]
    known = entries()
    return "\n\n".join(known[key] for key in dict.fromkeys(cited))


def entries() -> dict[str, str]:
    """All of citations.bib, by key."""
    text = files("ganeval").joinpath("citations.bib").read_text(encoding="utf-8")
    parts = [part.strip() for part in re.split(r"\n(?=@)", text) if part.startswith("@")]
    return {part[part.index("{") + 1 : part.index(",")]: part for part in parts}


def _value(report: Report, key: str) -> str:
    score = report.scores[key]
    return f"{score.value:.5g}" if score.error is None else rf"{score.value:.5g} $\pm$ {score.error:.2g}"


def _network(name: str) -> str:
    words, key = OF_EXTRACTORS.get(name, (name, None))
    return f"{_tex(words)}{_cited(key)}"


def _tex(text: str) -> str:
    """Text that LaTeX prints and does not obey: a report may come from anybody."""
    return "".join(SPELLED.get(letter, letter) for letter in printable(text))


def _cited(key: str | None) -> str:
    return rf" \cite{{{key}}}" if key else ""


def _digest(side: Mapping[str, object]) -> str:
    for what, name in (("pixels_sha256", "sha256 of the pixels"), ("reference_sha256", "stats of sha256")):
        if side.get(what):
            return f"{name} {_tex(str(side[what])[:16])}"
    return "of unknown origin"
