"""compare and cite: what may be compared, which differences are more than chance, and what a paper should say."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from scipy.stats import ttest_ind, ttest_rel
from torch import Tensor

import ganeval
from conftest import MeanColor
from ganeval import Report, Score
from ganeval.citations import bibtex, entries, methods
from ganeval.cli import main
from ganeval.metrics.uncertainty import scored_mean
from ganeval.verdict import load_report, p_value, verdicts
from pictures import as_tensor, pictures, save_all

pytestmark = pytest.mark.usefixtures("one_thread")
OPTIONS: dict[str, Any] = {"extractor": "tiny", "metrics": ("fid", "is", "kid", "precision"), "num_splits": 2, "subset_size": 20}


@pytest.fixture(scope="module")
def images() -> Tensor:
    return as_tensor(pictures(150, (32, 32)))


@pytest.fixture(scope="module")
def reports(images: Tensor) -> dict[str, Report]:
    """Of two sets of fakes of one kind, and of a third that is damaged."""
    real, fake, other = images[:50], images[50:100], images[100:]
    noisy = (other.float() + 60 * torch.randn(other.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255).byte()
    return {name: ganeval.evaluate(real, side, **OPTIONS) for name, side in (("a", fake), ("b", other), ("noisy", noisy))}


@pytest.fixture
def files(reports: dict[str, Report], tmp_path: Path) -> dict[str, Path]:
    return {name: _written(tmp_path / f"{name}.json", report) for name, report in reports.items()}


def _written(path: Path, report: Report) -> Path:
    path.write_text(report.to_json(), encoding="utf-8")
    return path


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result.output


def test_a_report_comes_back_from_its_plain_values(reports: dict[str, Report]) -> None:
    assert all(Report.from_dict(report.to_dict()) == report for report in reports.values())
    assert all(report.scores["fd_tiny"].deviations for report in reports.values())


def test_a_report_survives_the_way_through_json(reports: dict[str, Report], files: dict[str, Path]) -> None:
    for name, path in files.items():
        assert load_report(path) == reports[name]


def test_p_values_are_those_of_the_t_tests() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(200, generator=rng, dtype=torch.float64)
    y = 0.3 * torch.randn(150, generator=rng, dtype=torch.float64) + 0.1
    expected = ttest_ind(x.numpy(), y.numpy(), equal_var=False).pvalue
    assert p_value(scored_mean(x), scored_mean(y), paired=False) == pytest.approx(expected, rel=1e-6)
    # Paired: t of the differences, from 20 groups in place of 200 pairs, so it agrees within what 19 degrees of freedom know.
    z = x + 0.1 * torch.randn(200, generator=rng, dtype=torch.float64) + 0.05
    first, second = scored_mean(x), scored_mean(z)
    assert first.deviations is not None
    assert second.deviations is not None
    error = (z - x).std().item() / math.sqrt(200)
    assert math.dist(first.deviations, second.deviations) == pytest.approx(error, rel=0.5)
    unpaired, paired, exact = p_value(first, second, paired=False), p_value(first, second, paired=True), ttest_rel(x, z).pvalue
    assert unpaired is not None
    assert paired is not None
    assert exact < 1e-6
    assert paired < 1e-4 < 0.3 < unpaired


def test_equal_scores_are_no_difference_and_missing_errors_no_verdict() -> None:
    same = scored_mean(torch.ones(30))
    assert p_value(same, same, paired=True) == 1
    assert p_value(same, Score(2.0, error=0.0, degrees=29), paired=False) == 0
    assert p_value(Score(1.0), same, paired=False) is None


def test_damage_is_seen_and_chance_is_not(reports: dict[str, Report]) -> None:
    found = {one.key: one for one in verdicts({name: reports[name] for name in ("a", "noisy")})}
    assert set(found) == {"fd_tiny", "is_tiny", "kd_tiny", "precision_tiny"}
    assert found["fd_tiny"].best == found["precision_tiny"].best == "a"
    assert str(found["fd_tiny"]).startswith("a is ahead of noisy (p = ")
    same = {one.key: one for one in verdicts(dict.fromkeys(("one", "two"), reports["a"]))}
    assert all("no difference can be told" in str(one) for one in same.values())


@pytest.mark.slow
def test_everything_that_moves_a_number_is_held_against_it(images: Tensor, reports: dict[str, Report], standin: Path) -> None:
    real, fake = images[:50], images[50:100]

    def differences(key: str, **changes: Any) -> str:
        changed = {**OPTIONS, **changes}
        sides = changed.pop("sides", (real, fake))
        one = ganeval.evaluate(real, fake, **{**OPTIONS, **changed.pop("both", {})})
        other = ganeval.evaluate(*sides, **changed)
        found = {verdict.key: verdict for verdict in verdicts({"one": one, "other": other})}
        return "; ".join(found[key].differences)

    assert differences("fd_tiny") == ""
    assert "number of fakes 50 against 40" in differences("fd_tiny", sides=(real, fake[:40]))
    assert differences("kd_tiny", sides=(real, fake[:40])) == ""  # unbiased: the number of fakes is nothing to it
    assert differences("precision_tiny", sides=(real, fake[:40])) == ""
    assert "real images" in differences("kd_tiny", sides=(images[1:51], fake))
    assert differences("is_tiny", sides=(images[1:51], fake)) == ""
    assert "num_splits 2 against 3" in differences("is_tiny", num_splits=3)
    assert "seed 2,020 against 1" in differences("is_tiny", seed=1)
    assert "order seeded against stored" in differences("is_tiny", convention="improved-gan")
    assert differences("fd_tiny", seed=1, num_splits=3) == ""
    assert "subset_size 20 against 30" in differences("kd_tiny", subset_size=30)
    inception: dict[str, Any] = {"extractor": "inception", "metrics": ("fid",), "weights": standin}
    few = {"sides": (real[:4], fake[:4])}
    one = ganeval.evaluate(*few["sides"], **inception)
    other = ganeval.evaluate(*few["sides"], **inception, convention="clean-fid")
    (verdict,) = verdicts({"one": one, "other": other})
    assert "preprocessing tf1-bilinear 299x299, (x-128)/128 against bicubic-antialias 299x299 clipped" in verdict.differences[0]


def test_stats_that_nobody_can_tell_apart_are_not_compared(reports: dict[str, Report]) -> None:
    one = replace(reports["a"], provenance={**reports["a"].provenance, "real": {"count": 50, "reference_sha256": None, "images": None}})
    found = {verdict.key: verdict for verdict in verdicts({"one": one, "other": one})}
    assert found["fd_tiny"].differences == ("real images of unknown origin",)
    assert found["is_tiny"].differences == ()


def test_weights_and_extractors_are_held_against_each_other(reports: dict[str, Report]) -> None:
    one = reports["a"]
    networks = {"tiny": {**one.provenance["networks"]["tiny"], "weights_sha256": "0" * 64}}
    other = replace(one, provenance={**one.provenance, "networks": networks})
    assert "weights 768206721f3e… against 000000000000…" in verdicts({"one": one, "other": other})[0].differences[0]


def test_the_command_refuses_names_each_difference_and_yields_to_anyway(images: Tensor, files: dict[str, Path], tmp_path: Path) -> None:
    few = _written(tmp_path / "few.json", ganeval.evaluate(images[:50], images[50:90], **OPTIONS))
    refused = run("compare", files["a"], few, code=1)
    assert "these scores were not made in the same way" in refused
    assert "fd_tiny: number of fakes 50 against 40" in refused
    assert "is_tiny: number of fakes 50 against 40" in refused
    assert "--metrics kd_tiny,precision_tiny" in refused
    assert "not comparable: number of fakes 50 against 40" in run("compare", files["a"], few, "--anyway")
    assert "fd_tiny" not in run("compare", files["a"], few, "--metrics", "kd_tiny,precision_tiny")
    found = json.loads(run("compare", files["a"], files["noisy"], "--json"))
    assert found[0]["best"] == "a.json"
    assert 0 <= found[0]["p"] < 0.05
    assert "noisy.json" in run("compare", *files.values())


def test_pairs_of_the_same_names_are_compared_as_pairs(tmp_path: Path) -> None:
    targets = pictures(40, (32, 32))
    save_all(targets, tmp_path / "targets")
    found = {}
    for name, strength in (("blurred", 3), ("more", 4)):
        made = [picture.point(lambda level, strength=strength: min(255, level + strength)) for picture in targets]
        save_all(made, tmp_path / name)
        found[name] = ganeval.evaluate(tmp_path / "targets", tmp_path / name, metrics=("l1", "psnr"))
    (l1, _) = verdicts(found)
    assert l1.paired
    assert l1.best == "blurred"
    assert l1.p is not None
    assert l1.p < 1e-6


def test_mistakes_get_one_sentence(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"scores": {}}')
    (tmp_path / "broken.json").write_text("{")
    assert "needs at least two reports, got 1" in run("compare", files["a"], code=1)
    assert "two of the reports are the same file" in run("compare", files["a"], files["a"], code=1)
    assert "missing.json does not exist; give a file written with" in run("compare", files["a"], tmp_path / "missing.json", code=1)
    assert "not a report of this version of ganeval" in run("compare", files["a"], tmp_path / "other.json", code=1)
    assert "it is not JSON that ganeval wrote" in run("compare", files["a"], tmp_path / "broken.json", code=1)
    assert "not all reports have a score called fid" in run("compare", files["a"], files["b"], "--metrics", "fid", code=1)
    other = _written(
        tmp_path / "c.json", ganeval.evaluate(None, as_tensor(pictures(20, (32, 32))), extractor=MeanColor(), metrics=("vendi",))
    )
    assert "no score in common" in run("compare", files["a"], other, code=1)


def test_citations_name_what_was_computed_and_nothing_else(reports: dict[str, Report], files: dict[str, Path]) -> None:
    text = methods(reports["a"])
    assert r"On 50 generated and 50 real images we report fd\_tiny" in text
    assert "over 2 splits in seeded order (seed 2020)" in text
    assert "100 subsets of 20 images" in text
    assert reports["a"].provenance["fake"]["pixels_sha256"][:16] in text
    cited = set(re.findall(r"^@\w+\{(\w+),", bibtex(reports["a"]), re.MULTILINE))
    assert {"heusel2017gans", "salimans2016improved", "binkowski2018demystifying", "kynkaanniemi2019improved"} <= cited
    assert "naeem2020reliable" not in cited
    assert bibtex(reports["a"]) in run("cite", files["a"])


def test_the_bibliography_is_well_formed() -> None:
    for key, entry in entries().items():
        assert entry.count("{") == entry.count("}"), key
        for wanted in ("title", "author", "year"):
            assert re.search(rf"^\s*{wanted}\s*=", entry, re.MULTILINE), (key, wanted)
        assert entry.endswith("}")
