"""The dependency audit of `.ci/run`: a known vulnerability fails it, and that nobody could look is not taken for good news."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit"

WELL = {"name": "numpy", "version": "2.0", "vulns": []}
ILL = {"name": "pillow", "version": "9.0", "vulns": [{"id": "CVE-2023-50447", "fix_versions": ["10.2.0"]}]}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([WELL, UNKNOWN], 0, "no known vulnerability in 1 of 2 packages"),
        ([WELL, ILL], 1, "pillow 9.0: CVE-2023-50447, mended in 10.2.0"),
        ([UNKNOWN, UNKNOWN], 0, "SKIPPED: known vulnerabilities were not looked up"),
        (None, 0, "SKIPPED: known vulnerabilities were not looked up"),
    ],
    ids=["well", "ill", "nothing looked up", "no answer"],
)
def test_what_is_found_decides(found: list[dict[str, Any]] | None, code: int, said: str, tmp_path: Path) -> None:
    report = tmp_path / "audit.json"
    report.write_text("" if found is None else json.dumps({"dependencies": found}))
    done = subprocess.run([sys.executable, AUDIT, report], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith(said)
    assert done.stdout.count("\n") == 1
