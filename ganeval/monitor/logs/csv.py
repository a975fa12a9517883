"""scores.csv: a line for each score, to be read with anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from ganeval.errors import InputError
from ganeval.files import written_at_once


class CSVLog:
    """Columns `step` and one for each value. A step takes the place of later ones in the file: those of a run that was begun again."""

    def __init__(self, folder: Path | None) -> None:
        if folder is None:
            raise InputError("the log 'csv' needs a place; name it with folder=")
        self._file = folder / "scores.csv"

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        rows = [row for row in self._rows() if int(row["step"]) < step] + [{"step": str(step)} | {k: repr(v) for k, v in values.items()}]
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
        table.writeheader()
        table.writerows(rows)
        with written_at_once(self._file) as file:  # a few hundred lines: written anew each time, the file is whole at any moment
            file.write(text.getvalue().encode())

    def _rows(self) -> list[dict[str, str]]:
        if not self._file.exists():
            return []
        try:
            with self._file.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            assert all(row["step"].isdecimal() and None not in row for row in rows)
        except (AssertionError, KeyError, AttributeError, UnicodeDecodeError):
            raise InputError(f"{self._file} is not of ganeval: it has no column of steps; move it away, or choose another folder") from None
        return rows
