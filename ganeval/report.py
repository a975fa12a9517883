"""Score and Report: values, with what is needed to believe and to compare them."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from ganeval.errors import InputError, reason
from ganeval.shape import NAME, NUMBER, check_shape

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Score:
    """One value, and how sure it is.

    Attributes:
        spread: the standard deviation that the metric itself defines (over splits, over subsets), None where it defines none.
        error: standard error, how far another draw of as many fakes would move the value; None where it was not asked for, or of
            fewer than 20 fakes.
        degrees: of freedom of `error`, for Student's t.
        deviations: what groups of fakes contribute to `error`, which is about their root sum of squares. For two scores of the same
            fakes, or of fakes made from the same inputs in the same order, the error of the difference is that of these differences.
    """

    value: float
    spread: float | None = None
    error: float | None = None
    degrees: float | None = None
    deviations: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in (self.value, self.spread or 0.0, self.error or 0.0)):
            raise ArithmeticError(f"a score came out as {self.value} ± {self.error} (spread {self.spread}); this is a bug of ganeval")

    def __str__(self) -> str:
        return f"{self.value:.6g}" if self.spread is None else f"{self.value:.6g} ± {self.spread:.3g}"

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Where the expected score of such fakes lies, with probability `level`: value ± t · error, Student's t.

        Raises:
            InputError: no standard error, or a level outside (0, 1).
        """
        if self.error is None:
            raise InputError("this score has no standard error, so it has no interval; compute it with error bars")
        if not 0 < level < 1:
            raise InputError(f"the level of an interval is between 0 and 1, got {level}")
        from scipy.special import stdtrit

        reach = self.error * float(stdtrit(self.degrees or math.inf, (1 + level) / 2))
        return self.value - reach, self.value + reach


DIGESTS = {"pixels_sha256?": NAME, "reference_sha256?": NAME, "names_sha256?": NAME}
SIDE = {"count": (int, type(None)), "images?": (DIGESTS, type(None)), **DIGESTS}
SHAPE: Mapping[str, Any] = {
    "scores": {"*": {"value": (int, float), "spread": NUMBER, "error": NUMBER, "degrees": NUMBER, "deviations": ([NUMBER], type(None))}},
    "titles": {"*": str},
    "num_real": (int, type(None)),
    "num_fake": (int, type(None)),
    "extractor": str,
    "convention": str,
    "provenance": {
        "networks": {"*": {"weights_sha256": NAME, "preprocessing": str}},
        "scores": {"*": {"metric": str, "extractor": str}},
        "real": (SIDE, type(None)),
        "held_out": (SIDE, type(None)),
        "fake": SIDE,
        "device": str,
        "dtype": str,
        "order?": str,
        **dict.fromkeys(("seed?", "num_splits?", "num_subsets?", "subset_size?"), int),
    },
    "notes": [str],
}
"""What a report must hold as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Scores of one set of fakes, and the provenance that makes them comparable."""

    scores: Mapping[str, Score]
    titles: Mapping[str, str]  # of the same keys, for people
    num_real: int | None  # None: no reals needed, or a reference file that does not say
    num_fake: int | None
    extractor: str
    convention: str
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())  # what a reader of the scores must know

    def to_dict(self) -> dict[str, Any]:
        """Plain values. Keys: scores, titles, num_real, num_fake, extractor, convention, provenance, notes."""
        return {
            "scores": {key: _plain_score(score) for key, score in self.scores.items()},
            "titles": dict(self.titles),
            "num_real": self.num_real,
            "num_fake": self.num_fake,
            "extractor": self.extractor,
            "convention": self.convention,
            "provenance": self.provenance,
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """The report that `to_dict` made these of, through JSON or not.

        Raises:
            InputError: they are of something else, or of a version of ganeval whose reports said less.
        """
        try:
            check_shape(values, SHAPE, "the report")
            networks, keys = values["provenance"]["networks"], values["scores"].keys()
            if unknown := {one["extractor"] for one in values["provenance"]["scores"].values()} - networks.keys():
                raise ValueError(f"the network {min(unknown)!r} of a score is not described")
            if unnamed := keys - values["titles"].keys():
                raise ValueError(f"the score {min(unnamed)!r} has no title")
            scores = {
                key: Score(**{**one, "deviations": None if one["deviations"] is None else tuple(one["deviations"])})
                for key, one in values["scores"].items()
            }
            known = ("titles", "num_real", "num_fake", "extractor", "convention", "provenance")
            report = cls(scores=scores, notes=tuple(values["notes"]), **{name: values[name] for name in known})
            report.basis()  # can be told
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"not a report of this version of ganeval ({reason(error)}); score the images again") from None
        return report

    def to_json(self) -> str:
        """`to_dict` as one line, without NaN."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        """The table for people: scores, then what they need to be believed, then the notes."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.add_column("score")
        table.add_column("value", justify="right")
        with_errors = any(score.error is not None for score in self.scores.values())
        with_spreads = any(score.spread is not None for score in self.scores.values())
        for wanted, name in ((with_errors, "± error"), (with_spreads, "spread")):
            if wanted:
                table.add_column(name, justify="right")
        table.add_column("what")
        for key, score in self.scores.items():
            error = [_small(score.error, "± ")] if with_errors else []
            spread = [_small(score.spread)] if with_spreads else []
            table.add_row(key, f"{score.value:.6g}", *error, *spread, self.titles[key])
        basis = Table.grid(padding=(0, 2))
        for name, value in self.basis().items():
            basis.add_row(name, value)
        return f"{_plain(table)}\n\n{_plain(basis)}" + "".join(f"\nnote: {note}" for note in self.notes)

    def _repr_html_(self) -> str:
        """A small table, for notebooks."""
        columns = {"score": list(self.scores), "value": [f"{one.value:.6g}" for one in self.scores.values()]}
        for name, numbers in (
            ("± error", [one.error for one in self.scores.values()]),
            ("spread", [one.spread for one in self.scores.values()]),
        ):
            if any(number is not None for number in numbers):
                columns[name] = [_small(number) for number in numbers]
        columns["what"] = [self.titles[key] for key in self.scores]
        head = "".join(f"<th>{escape(name)}</th>" for name in columns)
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in cells) for cells in zip(*columns.values(), strict=True))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        below = [f"{name}: {value}" for name, value in self.basis().items()] + [f"note: {note}" for note in self.notes]
        small = "<br>".join(escape(line) for line in below)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><small>{small}</small>"

    def basis(self) -> dict[str, str]:
        """What the scores need to be believed, for people: by name, in lines."""
        provenance = self.provenance
        networks, held_out = provenance["networks"].items(), provenance["held_out"]
        rows = {
            "images": (f"{_count(self.num_real)} real, " if provenance["real"] else "")
            + f"{_count(self.num_fake)} fake"
            + (f", {_count(held_out['count'])} held out" if held_out else ""),
            "extractor": "\n".join(
                name + (f", weights sha256 {sha256[:12]}…" if (sha256 := one["weights_sha256"]) else "") for name, one in networks
            ),
            "preprocessing": "\n".join(one["preprocessing"] for _, one in networks),
            "convention": self.convention,
            "device": f"{provenance['device']}, {provenance['dtype']}",
        }
        if any(score.error is not None for score in self.scores.values()):
            rows["error"] = "standard error over draws of fakes, the reals fixed"
        if any(key == "is" or key.startswith("is_") for key in self.scores):
            rows["splits"] = f"{provenance['num_splits']}, in {provenance['order']} order" + (
                f" (seed {provenance['seed']})" if provenance["order"] == "seeded" else ""
            )
        return rows


def _plain_score(score: Score) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(score).items()}


def _small(number: float | None, sign: str = "") -> str:
    return "" if number is None else f"{sign}{number:.3g}"


def _count(number: int | None) -> str:
    return "unknown number of" if number is None else f"{number:,}"


def _plain(table: Table) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=120, color_system=None, legacy_windows=False, markup=False, emoji=False)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().rstrip().splitlines())
