"""The page of a report: scores with all that they need to be believed, and what the images themselves show."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganeval.citations import bibtex, methods
from ganeval.doctor.finding import Finding
from ganeval.explanation import K, Ranking, ranking
from ganeval.metrics import METRICS, Label
from ganeval.pages.language import Language, language
from ganeval.pages.page import rendered, shortest_ends, write
from ganeval.pages.space import maps, trade_off
from ganeval.pages.view import Tile, View, views
from ganeval.report import Report, Score
from ganeval.side import Side

SHOWN, SHOWN_LONGEST = 48, 112  # images of a side, drawn by chance, and their pixels
RANKED = 12  # of the worst and of the best fakes
COUPLES = 6  # of a fake and a real
SEED = 0  # of all that is drawn by chance for a page


def write_report(
    report: Report,
    path: str | os.PathLike[str],
    *,
    sides: Mapping[Label, Side] | None = None,
    findings: Sequence[Finding] | None = None,
    lang: str = "en",
    title: str | None = None,
    conventions: Sequence[Any] = (),
    published: str = "",
) -> Path:
    """The page of a report as one HTML file that needs nothing else.

    Args:
        report: whose scores are shown as they are.
        sides: what `Evaluator.measure` gave, with features kept: for pictures and feature space. `Evaluator.page` has them.
        findings: of the doctor, an empty list where it found nothing; None where it was not asked.
        lang: "en", or any other of `languages()`.
        title: None is what is scored against what, as far as the sides say.
        conventions, published: the rows of a `Disagreement`, and a sentence about a published FID.

    Raises:
        InputError: no such language.
    """
    chosen = language(lang)
    seen = views(sides or {}, _network(report, sides or {}))
    where = {label: view.source.where for label, view in seen.items() if view.source is not None}
    names = dict(zip(where, shortest_ends(list(where.values())), strict=True))
    text = rendered(
        "scores.html",
        lang,
        report=report,
        rows=[_row(key, score, report) for key, score in report.scores.items() if "/" not in key],
        parts_of_scores=[_row(key, score, report) for key, score in report.scores.items() if "/" in key],
        with_intervals=any(score.error is not None for score in report.scores.values()),
        title=title,
        names={label: names.get(label, "") for label in ("real", "fake")},
        basis=report.basis(),
        findings=None if findings is None else [_shown(finding, chosen) for finding in findings],
        samples={label: _samples(view) for label, view in seen.items() if view.source is not None},
        counts={label: view.count for label, view in seen.items()},
        space=_space(seen, chosen),
        ranked=_ranked(seen),
        methods=_methods(report),
        conventions=conventions,
        published=published,
    )
    return write(Path(path), text)


def _network(report: Report, sides: Mapping[Label, Side]) -> str | None:
    """The first whose features the fakes have."""
    fake = sides.get("fake")
    if fake is None:
        return None
    networks = (name for name in report.provenance["networks"] if name in fake.measured)
    kept = (name for name in networks if fake.measured[name].features is not None or fake.measured[name].sample is not None)
    return next(kept, None)


def _row(key: str, score: Score, report: Report) -> dict[str, Any]:
    about = report.provenance["scores"].get(key, {})
    metric = METRICS.get(about.get("metric", ""))
    return {
        "key": key,
        "value": f"{score.value:.6g}",
        "error": None if score.error is None else f"{score.error:.3g}",
        "interval": None if score.error is None else " … ".join(f"{end:.5g}" for end in score.interval()),
        "spread": None if score.spread is None else f"{score.spread:.3g}",
        "title": report.titles[key],
        "sees": "" if metric is None else metric.sees,
    }


def _shown(finding: Finding, chosen: Language) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "where": finding.where,
        "what": chosen.filled(finding.sentence, finding.values),
        "remedy": chosen.filled(finding.remedy, finding.values),
        "count": finding.count,
        "files": finding.files,
        "shift": None if finding.shift is None else f"{finding.shift:+.3g}",
    }


def _samples(view: View) -> list[Tile]:
    positions = view.some(SHOWN, seed=SEED)
    found = view.pictures(positions)
    return [Tile(found[position], longest=SHOWN_LONGEST) for position in positions]


def _space(seen: Mapping[Label, View], chosen: Language) -> list[Any]:
    features = [seen[label].features if label in seen else None for label in ("real", "fake")]
    real, fake = features
    if real is None or fake is None:
        return []
    found = trade_off(real, fake, chosen, seed=SEED)
    return [*maps(real, fake, chosen, seed=SEED), *([] if found is None else [found])]


def _ranked(seen: Mapping[Label, View]) -> dict[str, Any] | None:
    """The fakes that hurt the distance most and least, those nearest to a real, and reals that no fake is near; None without features."""
    real, fake = seen.get("real"), seen.get("fake")
    if real is None or fake is None or fake.source is None or fake.features is None or fake.stats is None or real.stats is None:
        return None
    if fake.count < 3 or real.source is None or real.features is None or len(real.features) <= K:
        return None
    found = ranking(real.stats, fake.stats, real.features, fake.features)
    near = found.neighbors
    return {
        "num_fake": len(fake.features),
        "num_real": len(real.features),
        "whole": len(fake.features) == fake.count and len(real.features) == real.count,
        "worst": _ends(fake, found.worst(RANKED), found),
        "best": _ends(fake, found.best(RANKED), found),
        "copies": _couples(fake, real, found.suspicious(COUPLES), near.nearest_real, near.closeness),
        "share_of_copies": f"{100 * (near.closeness < 1).double().mean().item():.1f}",
        "uncovered": _couples(real, fake, found.uncovered(COUPLES), near.nearest_fake, near.gap),
        "share_uncovered": f"{100 * (near.gap > 1).double().mean().item():.1f}",
    }


def _ends(fake: View, rows: Sequence[int], found: Ranking) -> list[Tile]:
    pictures = fake.of_rows(rows)
    return [Tile(pictures[row], f"{found.influences[row]:+.3g}") for row in rows]


def _couples(first: View, second: View, rows: Sequence[int], nearest: Any, ratio: Any) -> list[tuple[Tile, Tile]]:
    others = {row: int(nearest[row]) for row in rows}
    pictures, near = first.of_rows(rows), second.of_rows(list(others.values()))
    return [(Tile(pictures[row], f"{ratio[row]:.2f}"), Tile(near[others[row]])) for row in rows]


def _methods(report: Report) -> tuple[str, str] | None:
    """The methods sentence and its BibTeX; None where a score is not of METRICS, so that there is nothing to cite."""
    about = report.provenance["scores"]
    if not about or any(one["metric"] not in METRICS for key, one in about.items() if "/" not in key):
        return None
    return methods(report), bibtex(report)
