"""--conventions all: what every tool would make of the same pictures, from one decode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import ganeval
from ganeval import CONVENTIONS, InputError
from ganeval.cli import main
from ganeval.disagreement import POPULATION, Disagreement, disagreement
from pictures import pictures, save_all


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("conventions")
    return save_all(pictures(3, (32, 32)), root / "real"), save_all(pictures(4, (48, 40)), root / "fake")


@pytest.fixture(scope="module")
def found(folders: tuple[Path, Path], standin: Path) -> Disagreement:
    return disagreement(*folders, weights=standin, num_splits=2)


def test_each_convention_gives_what_it_gives_alone(found: Disagreement, folders: tuple[Path, Path], standin: Path) -> None:
    assert set(found.reports) == set(CONVENTIONS)
    for name in ("ttur", "clean-fid"):
        metrics = CONVENTIONS[name].defines
        alone = ganeval.evaluate(*folders, metrics=metrics, convention=name, weights=standin, num_splits=2)
        assert found.reports[name].scores == alone.scores
        assert found.reports[name].provenance["preprocessing"] == alone.provenance["preprocessing"]
    assert list(found.reports["improved-gan"].scores) == ["is"]
    assert found.reports["improved-gan"].scores["is"] != found.reports["ttur"].scores["is"]  # another order, the same logits


@pytest.mark.slow
def test_stylegan_s_covariance_is_divided_by_n(found: Disagreement, folders: tuple[Path, Path], standin: Path) -> None:
    sides = [ganeval.Evaluator(side, weights=standin).reference.stats for side in folders]
    first, second = (stats.scatter / (stats.count or 0) for stats in sides)
    mean_part = (sides[0].mean - sides[1].mean).square().sum()
    factors = [torch.linalg.cholesky(cov + 1e-9 * torch.eye(len(cov), dtype=cov.dtype)) for cov in (first, second)]
    cross = torch.linalg.svdvals(factors[0].T @ factors[1]).sum()
    expected = (mean_part + first.trace() + second.trace() - 2 * cross).item()
    assert found.population.value == pytest.approx(expected, rel=1e-4)  # 1e-9 of 2,048 features is in the factors
    assert found.fids[POPULATION] is found.population


def test_a_published_number_is_held_against_every_tool(found: Disagreement) -> None:
    for name, score in found.fids.items():
        assert found.nearest(score.value)[0] == (name, 0.0)


@pytest.mark.slow
def test_the_command_and_its_page_have_tools_and_the_nearest(folders: tuple[Path, Path], standin: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", *map(str, folders), "--conventions", "all", "--weights", str(standin), "--num-splits", "2"]
    printed = CliRunner().invoke(main, [*arguments, "--published", "1", "--report", str(tmp_path / "page.html")])
    assert printed.exit_code == 0, printed.output
    page = (tmp_path / "page.html").read_text()
    for text in (printed.output, page):
        assert all(name in text for name in CONVENTIONS)
        assert "ublished 1 is nearest to" in text
    assert "the reals are 32×32 pixels and the fakes 48×40" in page  # as the doctor finds


@pytest.mark.slow
def test_the_json_holds_a_report_for_each_tool(folders: tuple[Path, Path], standin: Path) -> None:
    arguments = ["evaluate", *map(str, folders), "--conventions", "all", "--weights", str(standin), "--num-splits", "2", "--json"]
    line = json.loads(CliRunner().invoke(main, arguments).output)
    assert set(line["reports"]) == set(CONVENTIONS)
    assert line[POPULATION]["value"] > 0


def test_what_has_no_conventions_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = map(str, folders)
    for arguments, message in (
        (["--conventions", "all", "--extractor", "tiny"], "is about FID and IS on Inception"),
        (["--published", "3"], "add --conventions all"),
    ):
        result = CliRunner().invoke(main, ["evaluate", real, fake, *arguments])
        assert result.exit_code == 1
        assert message in result.output
    ganeval.Evaluator(real, extractor="tiny").reference.save(tmp_path / "real.npz")
    with pytest.raises(InputError, match="holds stats, which are of one convention"):
        disagreement(tmp_path / "real.npz", fake, num_splits=2)
