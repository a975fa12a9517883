"""The scripts in examples/ run as they stand, end in seconds, and print scores."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SHORT = {  # script: options, package that it needs
    "plain_loop": (["--num-steps", "100"], None),
    "streaming_metrics": (["--num-images", "200"], None),
    "lightning_gan": (["--num-steps", "40"], "lightning"),
    "accelerate_loop": (["--num-steps", "40"], "accelerate"),
    "diffusers_pipeline": (["--num-images", "64", "--num-steps", "1"], "diffusers"),
}


@pytest.mark.slow  # a dozen seconds each: torch, the framework, and the drawing of the data
@pytest.mark.parametrize("name", SHORT)
def test_an_example_prints_scores(name: str, tmp_path: Path) -> None:
    options, package = SHORT[name]
    if package is not None:
        pytest.importorskip(package, reason="pip install 'ganeval[integrations]'")
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *options]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"fd_tiny +\d", done.stdout), done.stdout
