"""The command line as a user meets it: one line of JSON or a table, one sentence for a mistake, never a traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import ganeval
from ganeval.cli import main
from pictures import pictures, save_all


def run(*args: object, code: int = 0) -> Result:
    """`ganeval ARGS`; an exception that the command line does not turn into a sentence fails the test."""
    done = CliRunner().invoke(main, [str(argument) for argument in args], prog_name="ganeval", catch_exceptions=False)
    assert done.exit_code == code, done.stderr
    return done


def sentence(*args: object) -> str:
    """What standard error says of a mistake; standard output stays empty."""
    done = run(*args, code=1)
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    return done.stderr


def test_the_table_and_the_json_show_the_scores_of_the_library(folders: tuple[Path, Path]) -> None:
    expected = ganeval.evaluate(*folders, extractor="tiny", metrics=("fid", "is")).scores
    table = run("evaluate", *folders, "--extractor", "tiny")
    as_json = run("evaluate", *folders, "--extractor", "tiny", "--json")
    assert as_json.stdout.count("\n") == 1
    assert as_json.stderr == ""
    for key, score in expected.items():
        assert f"{score.value:.6g}" in table.stdout
        assert json.loads(as_json.stdout)["scores"][key]["value"] == pytest.approx(score.value, rel=1e-12)


def test_fid_with_a_file_of_stats_is_fid_with_its_images(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders
    run("stats", "compute", real, "-o", tmp_path / "real.npz", "--extractor", "tiny")
    values = [
        json.loads(run("fid", reals, fake, "--extractor", "tiny", "--json").stdout)["scores"]["fd_tiny"]["value"]
        for reals in (real, tmp_path / "real.npz")
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_both_matrix_roots_can_be_asked_for(tmp_path: Path) -> None:
    # As many images as it takes for a well-conditioned covariance of 256 features would be slow: SciPy's root of a singular
    # product is off by some 1e-4 of the trace, which is why it is not the default.
    real, fake = save_all(pictures(40, (32, 32)), tmp_path / "a"), save_all(pictures(40, (32, 32), skip=40), tmp_path / "b")
    reports = [json.loads(run("fid", real, fake, "--extractor", "tiny", "--json", *more).stdout) for more in ((), ("--sqrtm",))]
    values = [report["scores"]["fd_tiny"]["value"] for report in reports]
    assert values[1] == pytest.approx(values[0], rel=1e-3)
    assert [report["provenance"]["method"] for report in reports] == ["symmetric", "sqrtm"]


def test_inception_score_has_its_own_command_and_seed(folders: tuple[Path, Path]) -> None:
    reports = [json.loads(run("is", folders[1], "--extractor", "tiny", "--json", "--seed", seed).stdout) for seed in (1, 2)]
    assert reports[0]["scores"]["is_tiny"]["value"] != reports[1]["scores"]["is_tiny"]["value"]
    assert reports[0]["num_real"] is None


def test_stats_are_shown_and_merged(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name, folder in zip(("a", "b"), folders, strict=True):
        run("stats", "compute", folder, "-o", tmp_path / f"{name}.npz", "--extractor", "tiny")
    merged = run("stats", "merge", tmp_path / "a.npz", tmp_path / "b.npz", "-o", tmp_path / "all.npz")
    assert "48 images, 256 features" in merged.stdout
    shown = json.loads(run("stats", "show", tmp_path / "all.npz").stdout)
    assert (shown["images"], shown["features"], shown["made with"]["extractor"]) == (48, 256, "tiny")
    assert [part["count"] for part in shown["made with"]["images"]["parts"]] == [24, 24]


def test_the_tables_name_what_there_is() -> None:
    assert "ttur (default)" in run("conventions").stdout
    for name in ("tiny", "inception", "inception-768"):
        assert name in run("extractors").stdout
    assert "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2" in run("weights", "list").stdout
    assert "tiny/cifar10-train" in run("stats", "list").stdout


def test_bundled_reference_stats_go_by_name(folders: tuple[Path, Path]) -> None:
    report = json.loads(run("fid", "tiny/cifar10-test", folders[1], "--extractor", "tiny", "--json").stdout)
    assert report["num_real"] == 10_000


@pytest.mark.parametrize(
    "start",
    [["-m", "ganeval"], pytest.param(["-c", "from ganeval.cli import main; main()"], marks=pytest.mark.slow)],
    ids=["module", "script"],
)
def test_a_process_of_its_own_prints_one_line_or_one_sentence(start: list[str], folders: tuple[Path, Path]) -> None:
    def process(*args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *start, *map(str, args)], capture_output=True, text=True, check=False)

    good = process("fid", *folders, "--extractor", "tiny", "--json")
    assert (good.returncode, good.stdout.count("\n"), good.stderr) == (0, 1, "")
    json.loads(good.stdout)
    bad = process("fid", folders[0], "no/where", "--extractor", "tiny")
    assert (bad.returncode, bad.stdout, bad.stderr.count("\n")) == (1, "", 1)
    assert bad.stderr.startswith("Error: no/where does not exist")


def test_help_is_there_for_every_command() -> None:
    assert "ganeval fid real_dir fake_dir" in run("--help").stdout
    for command in ("fid", "is", "evaluate", "stats", "weights", "conventions", "extractors"):
        assert command in run("--help").stdout
        assert run(command, "--help").stdout.startswith("Usage:")
    assert ganeval.evaluate is not None
    assert version("ganeval") in run("--version").stdout


def test_mistakes_get_one_sentence_and_no_score(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders
    tiny = ("--extractor", "tiny")
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "other.npz", mu=np.zeros(5), sigma=np.eye(5))
    (tmp_path / "half.pth").write_bytes(b"PK\x03\x04 half a file")
    assert "no/where does not exist; give a folder" in sentence("fid", real, "no/where", *tiny)
    assert "the name of a set of images is empty" in sentence("fid", real, "", *tiny)
    assert "it holds no files" in sentence("fid", tmp_path / "empty", fake, *tiny)
    assert "stats of 5 features, but the extractor tiny has 256" in sentence("fid", tmp_path / "other.npz", fake, *tiny)
    assert "no extractor is called 'tny'" in sentence("fid", real, fake, "--extractor", "tny")
    assert "no metric is called 'kidd'; did you mean kid?" in sentence("evaluate", real, fake, "--metrics", "fid,kidd", *tiny)
    assert "half.pth is not a file of weights" in sentence("fid", real, fake, "--weights", tmp_path / "half.pth")
    assert "the weights file nothing.pth does not exist" in sentence("fid", real, fake, "--weights", "nothing.pth")
    assert "the device cuda:7 cannot be used here" in sentence("fid", real, fake, "--device", "cuda:7", *tiny)
    assert "stats are saved as .npz" in sentence("stats", "compute", real, "-o", tmp_path / "x.txt", *tiny)
    assert "No such folder" in sentence("stats", "compute", real, "-o", tmp_path / "no/where/x.npz", *tiny)
    assert "has sha256" in sentence("weights", "import", tmp_path / "other.npz")
    assert "no weights are called 'vgg'" in sentence("weights", "fetch", "vgg")
    assert "no reference is called 'x'" in sentence("stats", "fetch", "x")
    assert "run: ganeval stats fetch ttur/celeba" in sentence("fid", "ttur/celeba", fake)
    assert run("fid", real, fake, "--convention", "tf", code=2).stdout == ""


def test_a_bad_picture_is_named_and_can_be_skipped(folders: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folders[1], broken)
    (broken / "zz.png").write_bytes((broken / "00000.png").read_bytes()[:200])
    assert "zz.png" in sentence("fid", folders[0], broken, "--extractor", "tiny")
    skipped = json.loads(run("fid", folders[0], broken, "--extractor", "tiny", "--skip-bad", "--json").stdout)
    assert skipped["num_fake"] == 24
    assert skipped["provenance"]["fake"]["num_skipped"] == 1
