"""Finding: one thing that is wrong with a set of images, or with two sets side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["wrong", "doubtful", "notable"]  # the score is of something else; it may be; it is good to know
Where = Literal["real", "fake", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. Sentences are templates and their values, so that a page can say them in another language.

    Attributes:
        check: the key of the check that found it: "duplicates", "jpeg-against-png".
        severity: see `Severity`; "wrong" and "doubtful" ones decide the exit status.
        where: the side that has the fault, or "both" where it lies between them.
        sentence: what was found, with the names of `values` in braces.
        remedy: how to mend it, in one sentence, likewise.
        values: numbers and words of the two sentences.
        count: how many images it is about; None where it is about the set as a whole.
        files: names of some of them, the worst first.
        shift: the score without the fault less the score as it is, measured on a sample of these images (which score and how many, the
            diagnosis says); None where that was not or cannot be measured.
    """

    check: str
    severity: Severity
    where: Where
    sentence: str
    remedy: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    count: int | None = None
    files: tuple[str, ...] = ()
    shift: float | None = None

    @property
    def what(self) -> str:
        """The sentence in English."""
        return self.sentence.format(**self.values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "values": dict(self.values), "files": list(self.files), "what": self.what}
