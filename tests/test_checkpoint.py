"""Checkpoints are whole or not there, and are read without running anything."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganeval.errors import InputError
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    state = {"step": 3, "rates": (0.5, 0.999), "nets": {"w": torch.randn(3)}, "history": [{"step": 1, "best": True}], "average": None}
    save_checkpoint(tmp_path / "a.pt", state)
    found = load_checkpoint(tmp_path / "a.pt")
    assert torch.equal(found.pop("nets")["w"], state["nets"]["w"])  # type: ignore[index]
    assert found["history"] == state["history"]
    assert found["rates"] == state["rates"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_checkpoint_cut_anywhere_is_refused_by_name(tmp_path: Path, share: float) -> None:
    file = tmp_path / "a.pt"
    save_checkpoint(file, {"nets": {"w": torch.randn(1000)}})
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"a\.pt is damaged"):
        load_checkpoint(file)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"nets": {}}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="no checkpoint of ganeval"):
        load_checkpoint(tmp_path / "other.pt")
    with pytest.raises(InputError, match="there is no checkpoint"):
        load_checkpoint(tmp_path / "missing.pt")


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this ran",)


def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"format": "ganeval checkpoint 1", "nets": Trap()}, tmp_path / "trap.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Trap()))
    for name in ("trap.pt", "plain.pt"):
        with pytest.raises(InputError):
            load_checkpoint(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_a_full_disk_is_an_error_that_names_the_file_and_the_old_checkpoint_stays(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the same failure of write(2), in a process of its own."""
    file = tmp_path / "last.pt"
    save_checkpoint(file, {"step": 1})
    before = file.read_bytes()
    code = f"""
import signal, resource, torch
from pathlib import Path
from ganeval.training.checkpoint import save_checkpoint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_checkpoint(Path({str(file)!r}), {{"nets": {{"w": torch.randn(1_000_000)}}}})
except OSError as error:
    print(error.filename, error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(file))
    assert "too large" in done.stdout
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
