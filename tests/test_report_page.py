"""The page of a report: it shows what was scored, moves nothing, and needs nothing but itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from test_page import HOSTILE, Elements
from torch import Tensor

import ganeval.measured
from conftest import MeanColor
from ganeval import Evaluator, InputError, Reference, Report, evaluate
from ganeval.cli import main
from ganeval.doctor.finding import Finding
from ganeval.extractors.protocol import Activations
from ganeval.images.inline import LONGEST, inline
from ganeval.measured import Rows, sampled
from ganeval.pages.scores import write_report
from pictures import as_tensor, pictures

pytestmark = pytest.mark.usefixtures("one_thread")


def run(*args: object) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in args], prog_name="ganeval", catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def sides() -> tuple[Tensor, Tensor]:
    """Fakes with one that is flat and purple, and one that is a copy of a real."""
    real, fake = as_tensor(pictures(60, (32, 32))), as_tensor(pictures(60, (32, 32), skip=60))
    fake[7] = torch.tensor([250, 5, 250], dtype=torch.uint8)[:, None, None]
    fake[11] = real[30]
    return real, fake


@pytest.fixture(scope="module")
def scored(sides: tuple[Tensor, Tensor], tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, str]:
    path = tmp_path_factory.mktemp("page") / "out.html"
    report = evaluate(*sides, extractor="tiny", metrics=("fid", "kid", "is"), subset_size=20, page=path)
    return report, path.read_text(encoding="utf-8")


def test_a_page_needs_nothing_but_itself_and_stays_small(scored: tuple[Report, str]) -> None:
    _, text = scored
    elements = Elements(text)
    assert not elements.all("script", "link", "iframe", "object", "base")
    assert all(str(image["src"]).startswith("data:image/") and image["alt"] is not None for image in elements.all("img"))
    assert "default-src 'none'" in text
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', text)) <= set(ids)
    assert len(text) < 5_000_000


def test_a_page_shows_values_errors_intervals_and_what_they_need(scored: tuple[Report, str]) -> None:
    report, text = scored
    for key, score in report.scores.items():
        assert key in text
        assert f"{score.value:.6g}" in text
        if score.error is not None:
            assert f"± {score.error:.3g}" in text
            assert f"{score.interval()[0]:.5g} … {score.interval()[1]:.5g}" in text
    for note in (
        report.provenance["weights_sha256"],
        report.provenance["fake"]["pixels_sha256"],
        "On 60 generated and 60 real images",
        "heusel2017gans",
    ):
        assert note in text


def test_the_odd_fake_is_the_worst_and_the_copy_is_beside_its_real(scored: tuple[Report, str]) -> None:
    _, text = scored
    worst = text.index("The worst</h3>")
    assert "image 7 (from 0, in order)" in text[worst : text.index("The best</h3>")]
    copies = text[text.index("Fakes that look like copies") :]
    first = re.search(r"<b>([\d.]+)</b><br>([^<]+)<br>real: ([^<]+)<", copies)
    assert first is not None
    assert first.groups() == ("0.00", "image 11 (from 0, in order)", "image 30 (from 0, in order)")


def test_a_page_moves_no_score_and_takes_one_pass(sides: tuple[Tensor, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of sets larger than a sample, whose errors come from one."""
    monkeypatch.setattr(ganeval.measured, "SAMPLED", 32)

    class Counting(MeanColor):
        images = 0

        def __call__(self, images: Tensor) -> Activations:
            self.images += len(images)
            return super().__call__(images)

    extractor = Counting()
    plain = evaluate(*sides, extractor=extractor, metrics=("fid", "is", "density"), num_splits=2)
    extractor.images = 0
    shown = evaluate(*sides, extractor=extractor, metrics=("fid", "is", "density"), num_splits=2, page=tmp_path / "out.html")
    assert extractor.images == 120
    assert shown.to_json() == plain.to_json()
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "32 fakes and 32 reals, drawn by chance" in text


@pytest.mark.parametrize("count", [5, 40, 333])
def test_the_rows_of_a_sample_are_known_by_their_positions(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ganeval.measured, "SAMPLED", 40)
    monkeypatch.setattr(ganeval.measured, "DRAWN", 64)
    features = torch.arange(count, dtype=torch.float32)[:, None].repeat(1, 2)
    rows = Rows({"sample"}, 2)
    for batch in features.split(7):
        rows.add(batch)
    kept = rows.vectors().sample
    assert kept is not None
    assert torch.equal(kept[:, 0].long(), sampled(count, 2))


def test_an_evaluator_writes_pages_of_many_fakes(sides: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    real, fake = sides
    evaluator = Evaluator(real, extractor="tiny", keep_features="sample")
    report = evaluator.page(fake, tmp_path / "one.html", lang="vi")
    assert report.to_json() == Evaluator(real, extractor="tiny")(fake).to_json()
    assert '<html lang="vi">' in (tmp_path / "one.html").read_text(encoding="utf-8")
    evaluator.page(lambda n: fake[:n], tmp_path / "two.html", num_images=60)  # fakes that are gone: reals alone can be shown
    text = (tmp_path / "two.html").read_text(encoding="utf-8")
    assert "Reals</h3>" in text
    assert "Fakes</h3>" not in text


def test_stats_in_place_of_reals_leave_a_page_of_the_fakes(sides: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    real, fake = sides
    reference: Reference = Evaluator(real, extractor="tiny").reference
    evaluate(reference, fake, extractor="tiny", page=tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "Fakes</h3>" in text
    assert "Feature space" not in text


def test_findings_are_shown_where_the_doctor_was_asked(scored: tuple[Report, str], tmp_path: Path) -> None:
    report, text = scored
    assert "The doctor's findings" not in text
    assert "The doctor&#39;s findings" not in text
    finding = Finding(
        check="duplicates",
        severity="wrong",
        where="fake",
        sentence="{number:,} fakes are there twice",
        remedy=f"remove them {HOSTILE}",
        values={"number": 1200},
        count=1200,
        files=("a.png", HOSTILE),
        shift=-1.25,
    )
    page = write_report(report, tmp_path / "a.html", findings=[finding]).read_text(encoding="utf-8")
    for shown in ("Wrong", "1,200 fakes are there twice", "moves the score by -1.25", "a.png"):
        assert shown in page
    assert "<script" not in page
    none = write_report(report, tmp_path / "b.html", findings=[]).read_text(encoding="utf-8")
    assert "Nothing found" in none


def test_a_page_in_vietnamese_has_no_english_left_of_ours(scored: tuple[Report, str], tmp_path: Path) -> None:
    report, english = scored
    text = write_report(report, tmp_path / "a.html", lang="vi").read_text(encoding="utf-8")
    assert '<html lang="vi">' in text
    for words in ("comparable", "is better", "scores", "error", "images", "reals"):
        main = re.sub(r"<style>.*?</style>|<pre>.*?</pre>|<details>.*?</details>", "", text, flags=re.DOTALL)
        assert words not in re.sub("<[^>]*>", "", main)
    values = re.compile(r"\d+\.\d+")
    assert set(values.findall(text)) <= set(values.findall(english))  # numbers as in the JSON


def test_a_language_that_is_not_there_and_a_folder_that_is_not_are_refused_before_any_work(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    def never(number: int) -> Tensor:
        raise AssertionError("worked through")

    with pytest.raises(InputError, match="no pages are written in 'xx'"):
        evaluate(folders[0], never, num_images=8, extractor="tiny", page=tmp_path / "a.html", lang="xx")
    with pytest.raises(FileNotFoundError):
        evaluate(folders[0], never, num_images=8, extractor="tiny", page=tmp_path / "no" / "a.html")


def test_every_scoring_command_writes_its_page(folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders
    page = tmp_path / "out.html"
    commands: list[tuple[object, ...]] = [
        ("fid", real, fake, "--extractor", "tiny"),
        ("is", fake, "--extractor", "tiny"),
        ("evaluate", real, fake, "--extractor", "tiny", "--metrics", "fid,prdc_precision"),
    ]
    for command in commands:
        done = run(*command, "--report", page, "--lang", "vi", "--json")
        assert done.stdout.count("\n") == 1
        assert f"page: {page}" in done.stderr
        assert '<html lang="vi">' in page.read_text(encoding="utf-8")
        page.unlink()


def test_reports_side_by_side_have_a_page(sides: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    real, fake = sides
    for name, fakes in (("a", fake), ("b", fake.flip(3))):
        report = evaluate(real, fakes, extractor="tiny", metrics=("fid", "density"))
        (tmp_path / f"{name}.json").write_text(report.to_json(), encoding="utf-8")
    run("compare", tmp_path / "a.json", tmp_path / "b.json", "--report", tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    for shown in ("a.json", "b.json", "density_tiny", "p = "):
        assert shown in text


def test_a_notebook_shows_a_small_table(scored: tuple[Report, str]) -> None:
    report, _ = scored
    html = report._repr_html_()
    assert "<script" not in html
    assert f"{report.scores['fd_tiny'].value:.6g}" in html
    assert "preprocessing: " in html


def test_large_pictures_are_shrunk_and_small_ones_kept_as_they_are() -> None:
    large = inline(torch.randint(256, (3, 400, 1600), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))
    assert (large.width, large.height, large.small) == (LONGEST, LONGEST // 4, False)
    small = inline(torch.zeros(3, 8, 8, dtype=torch.uint8))
    assert (small.width, small.height, small.small) == (8, 8, True)
    assert small.data.startswith("data:image/png;base64,")


@pytest.mark.parametrize("reals", ["images", "stats"])
def test_the_command_asks_the_doctor_for_its_page(reals: str, folders: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = folders[0], tmp_path / "fake"
    shutil.copytree(folders[1], fake)
    shutil.copy(fake / "00000.png", fake / "again.png")
    if reals == "stats":
        real = tmp_path / "real.npz"
        run("stats", "compute", folders[0], "-o", real, "--extractor", "tiny")
    run("fid", real, fake, "--extractor", "tiny", "--report", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "1 of 25 pictures equal an earlier one" in page
    assert "again.png" in page
    assert f"{25 if reals == 'stats' else 24} images for the 256 features of tiny" in page
