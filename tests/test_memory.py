"""Freed memory that is kept comes back without a page fault."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from ganeval.memory import keep_freed_memory
if {kept}:
    keep_freed_memory()
tensors = lambda: [torch.ones(48 << 20, dtype=torch.uint8) for _ in range(2)]  # more than the 32 MB that glibc keeps anyhow
tensors()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(60):
    tensors()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_kept_memory_is_used_again_without_asking_the_system() -> None:
    faults = {
        kept: int(subprocess.run([sys.executable, "-c", PROGRAM.format(kept=kept)], capture_output=True, text=True, check=True).stdout)
        for kept in (True, False)
    }
    # Each round asks for the same tensors: in the first few some miss the gap that is left for them, later most fit.
    assert faults[True] < faults[False] / 2
