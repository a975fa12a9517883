"""explain: the images that make a distance what it is, what is not covered, copies, classes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from scipy.stats import spearmanr

from conftest import MeanColor
from ganeval import Evaluator, FeatureStats, InputError, frechet_distance
from ganeval.cli import main
from ganeval.explanation import explain
from ganeval.metrics.neighbors import neighbors
from pictures import as_tensor, pictures, save_all

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Reals of three classes; fakes of the same, but that one is flat and purple, one is a copy, and the class ship is dark."""
    root = tmp_path_factory.mktemp("explain")
    for i, (side, name) in enumerate((side, name) for side in ("real", "fake") for name in ("cat", "dog", "ship")):
        found = pictures(25, (32, 32), skip=25 * i)
        if (side, name) == ("fake", "ship"):
            found = [picture.point(lambda level: level // 3) for picture in found]
        save_all(found, root / side / name)
    Image.new("RGB", (32, 32), (250, 5, 250)).save(root / "fake/cat/odd.png")
    Image.open(root / "real/dog/00003.png").save(root / "fake/dog/copy.png")
    return root / "real", root / "fake"


@pytest.mark.parametrize("extractor", ["tiny", MeanColor()], ids=["256 features", "3 features"])
def test_influences_rank_as_leaving_images_out_does(extractor: Any) -> None:
    """Brute force on pictures, with fewer images than features and more."""
    real, fake = as_tensor(pictures(300, (32, 32))), as_tensor(pictures(200, (32, 32), skip=300))
    found = explain(real, fake, extractor=extractor)
    evaluator = Evaluator(real, extractor=extractor, keep_features=True)
    assert evaluator.real is not None
    x, y = (next(iter(side.measured.values())).features for side in (evaluator.real, evaluator.measure(fake)))
    assert x is not None
    assert y is not None
    reference, without = FeatureStats.of(x), []
    for i in range(200):
        keep = torch.arange(200) != i
        without.append(frechet_distance(reference, FeatureStats.of(y[keep])))
    drops = found.distance - torch.tensor(without)
    assert spearmanr(drops, found.influences).statistic > 0.99
    assert found.distance == pytest.approx(found.mean_part + found.covariance_part, rel=1e-12)


def test_the_odd_the_copied_and_the_uncovered_are_found(folders: tuple[Path, Path]) -> None:
    found = explain(*folders, extractor="tiny")
    names = found.names
    copy = found.suspicious(1)[0]
    assert names["fake"][copy] == "dog/copy.png"
    assert names["real"][int(found.neighbors.nearest_real[copy])] == "dog/00003.png"
    assert found.neighbors.closeness[copy] < 1e-3
    assert found.classes[0].name == "ship" or found.classes[0].name == "cat"
    assert {one.name: (one.num_real, one.num_fake) for one in found.classes} == {"cat": (25, 26), "dog": (25, 26), "ship": (25, 25)}
    by_class = {one.name: one for one in found.classes}
    assert by_class["ship"].distance is not None
    assert by_class["dog"].distance is not None
    assert by_class["ship"].distance > by_class["dog"].distance
    assert all(found.neighbors.gap[i] > 1 for i in found.uncovered(20))


def test_the_one_odd_fake_among_good_ones_hurts_most() -> None:
    good, odd = as_tensor(pictures(80, (32, 32), skip=80)), torch.tensor([250, 5, 250], dtype=torch.uint8)
    fakes = torch.cat([good[:40], odd[None, :, None, None].expand(1, 3, 32, 32), good[40:]])
    assert explain(as_tensor(pictures(80, (32, 32))), fakes, extractor=MeanColor()).worst(1) == [40]


def test_neighbors_are_those_of_a_double_loop() -> None:
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 3, generator=rng, dtype=torch.float64), torch.randn(30, 3, generator=rng, dtype=torch.float64) + 0.5
    y[0] = x[7]
    found = neighbors(x, y, k=3)
    for i in range(40):
        own = sorted((x[i] - x[j]).norm().item() for j in range(40) if j != i)
        to_fakes = [(x[i] - y[j]).norm().item() for j in range(30)]
        assert found.gap[i].item() == pytest.approx(min(to_fakes) / own[2], rel=1e-6, abs=1e-9)
        assert int(found.nearest_fake[i]) == to_fakes.index(min(to_fakes))
    for j in range(30):
        distances = [(y[j] - x[i]).norm().item() for i in range(40)]
        nearest = distances.index(min(distances))
        own = min((x[nearest] - x[i]).norm().item() for i in range(40) if i != nearest)
        assert int(found.nearest_real[j]) == nearest
        assert found.closeness[j].item() == pytest.approx(min(distances) / own, rel=1e-6, abs=1e-9)
    assert found.closeness[0] == 0


def test_the_command_leaves_a_page_sheets_and_numbers(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders
    out = tmp_path / "out"
    arguments = ["explain", str(real), str(fake), "-o", str(out), "--extractor", "tiny", "--num-shown", "8"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "fd_tiny" in result.output
    assert "ship" in result.output
    page = (out / "index.html").read_text(encoding="utf-8")
    for name in ("worst-fakes.png", "uncovered-reals.png", "nearest-reals.png"):
        assert name in page
        with Image.open(out / name) as sheet:
            assert sheet.width > 400
    with (out / "influences.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 77
    assert {"fake", "influence", "closeness", "nearest_real"} == set(rows[0])
    about = json.loads((out / "explanation.json").read_text(encoding="utf-8"))
    assert about["num_fake"] == 77
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1
    assert "exists and is not an empty folder; name a new one" in again.output


def test_mistakes_get_one_sentence(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders
    Evaluator(real, extractor="tiny").reference.save(tmp_path / "real.npz")
    with pytest.raises(InputError, match="holds stats, but an explanation needs the images themselves"):
        explain(tmp_path / "real.npz", fake, extractor="tiny")
    few = save_all(pictures(4, (32, 32)), tmp_path / "few")
    with pytest.raises(InputError, match="more than 5 reals and a fake, got 4"):
        explain(few, fake, extractor="tiny")
