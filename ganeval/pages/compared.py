"""The page of a comparison: reports side by side, each score with its verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganeval.pages.language import Language, language
from ganeval.pages.page import rendered, write
from ganeval.pages.plots import intervals
from ganeval.report import Report, Score
from ganeval.verdict import SURE, Verdict


def write_comparison(verdicts: Sequence[Verdict], reports: Mapping[str, Report], path: str | os.PathLike[str], *, lang: str = "en") -> Path:
    """The page of verdicts on reports by name, as one HTML file that needs nothing else.

    Raises:
        InputError: no such language.
    """
    chosen = language(lang)
    shown = [_shown(verdict, next(iter(reports.values())), chosen) for verdict in verdicts]
    return write(Path(path), rendered("compared.html", lang, verdicts=shown, reports=reports))


def _shown(verdict: Verdict, first: Report, chosen: Language) -> dict[str, Any]:
    words = chosen.sentence(str(verdict))
    values = [(*_interval(score)[:1], score.value, *_interval(score)[1:]) for score in verdict.scores.values()]
    sure = verdict.p is not None and verdict.p < SURE
    return {
        "key": verdict.key,
        "title": first.titles[verdict.key],
        "verdict": words,
        "severity": "wrong" if verdict.differences else "notable" if sure else "none",
        "svg": intervals(list(verdict.scores), values, label=f"{verdict.key}: {words}"),
        "rows": [
            {
                "name": name,
                "value": f"{score.value:.6g}",
                "error": None if score.error is None else f"{score.error:.3g}",
                "spread": None,
                "interval": None if score.error is None else " … ".join(f"{end:.5g}" for end in score.interval()),
            }
            for name, score in verdict.scores.items()
        ],
    }


def _interval(score: Score) -> tuple[float, float]:
    return (score.value, score.value) if score.error is None else score.interval()
