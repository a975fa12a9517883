"""The page of all conventions: what every tool would report for the same images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ganeval.conventions import DEFAULT
from ganeval.disagreement import Disagreement
from ganeval.doctor.finding import Finding
from ganeval.pages.language import language
from ganeval.pages.scores import write_report


def write_conventions(
    found: Disagreement,
    path: str | os.PathLike[str],
    *,
    published: float | None = None,
    findings: Sequence[Finding] | None = None,
    lang: str = "en",
) -> Path:
    """The page of the report by the convention `DEFAULT`, with what the others make of the same images.

    Args:
        published: an FID that somebody reports for these images.
        findings: as for `write_report`.

    Raises:
        InputError: no such language.
    """
    nearest = ""
    if published is not None:
        (first, off), (second, next_off) = found.nearest(published)[:2]
        values = {"published": f"{published:g}", "first": first, "off": f"{off:+.4g}", "second": second, "next_off": f"{next_off:+.4g}"}
        nearest = language(lang).filled(
            "The published {published} is nearest to {first} (off by {off}); next is {second} (off by {next_off}).", values
        )
    rows = list(found.rows())
    return write_report(found.reports[DEFAULT], path, sides=found.sides, findings=findings, lang=lang, conventions=rows, published=nearest)
