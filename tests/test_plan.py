"""Names of metrics → scores: networks, sides, classes, pairs, and what is left out of `all`."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import ganeval
from conftest import MeanColor
from ganeval import Activations, Evaluator, InputError
from ganeval.images import open_images
from ganeval.images.seen import Seen
from ganeval.plan import planned
from pictures import as_tensor, pictures, save_all

TINY: dict[str, Any] = {"extractor": "tiny", "num_splits": 2, "subset_size": 20, "num_subsets": 5}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def real() -> Tensor:
    return as_tensor(pictures(80, (32, 32)))


@pytest.fixture(scope="module")
def fake() -> Tensor:
    return as_tensor(pictures(70, (32, 32), skip=80))


@pytest.fixture(scope="module")
def sorted_into_classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("classes")
    for i, (side, name) in enumerate((side, name) for side in ("real", "fake") for name in ("cat", "dog", "ship")):
        save_all(pictures(25, (32, 32), skip=25 * i), folder / side / name)
    return folder / "real", folder / "fake"


def keys(names: object, extractor: str | None = None) -> list[str]:
    return [one.key for one in planned(names, extractor).scores]  # type: ignore[arg-type]


def test_a_name_without_a_network_means_the_chosen_one_or_the_metric_s_own() -> None:
    assert keys(("fid", "cmmd", "fd_dinov2")) == ["fid", "cmmd", "fd_dinov2"]
    assert keys(("fid", "cmmd"), "tiny") == ["fd_tiny", "cmmd_tiny"]
    assert [one.extractor for one in planned(("fid", "cmmd"), None).scores] == ["inception", "clip-l-336"]


def test_a_name_may_state_its_network() -> None:
    plan = planned(("fid", "fd_tiny", "precision_vgg16", "kd_inception_768"), None)
    assert [(one.name, one.extractor) for one in plan.scores] == [
        ("fid", "inception"),
        ("fid", "tiny"),
        ("precision", "vgg16"),
        ("kid", "inception-768"),
    ]
    assert plan.networks == ["inception", "tiny", "vgg16", "inception-768"]


def test_what_is_asked_for_twice_is_computed_once() -> None:
    assert keys(("fid", "fd_tiny", "fd_dinov2", "fid"), "tiny") == ["fd_tiny"]


def test_pairs_are_compared_as_they_are_whatever_the_network() -> None:
    assert keys(("l1", "ssim", "lpips"), "tiny") == ["l1", "ssim", "lpips"]
    assert not {"l1", "psnr", "ssim", "lpips"} & set(keys("all", "tiny"))  # which sets are pairs, only their owner knows


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no metric is called 'prcision'; did you mean precision\?"):
        planned(("prcision",), None)
    with pytest.raises(InputError, match="a list of names"):
        planned((), None)


def test_all_metrics_take_one_forward_pass(real: Tensor, fake: Tensor) -> None:
    class Counting(MeanColor):
        seen = 0

        def __call__(self, images: Tensor) -> Activations:
            self.seen += len(images)
            return super().__call__(images)

    extractor = Counting()
    names = ("fid", "is", "kid", "precision", "recall", "density", "coverage", "mifid", "vendi", "authpct", "cmmd")
    report = ganeval.evaluate(real, fake, metrics=names, extractor=extractor, num_splits=2, subset_size=20)
    assert len(report.scores) == len(names)
    assert extractor.seen == len(real) + len(fake)


def test_two_networks_share_one_decode(real: Tensor, fake: Tensor) -> None:
    passes = []

    def drawn(number: int) -> Tensor:
        passes.append(number)
        return fake[:number]

    alone = [ganeval.evaluate(real, fake, extractor=extractor) for extractor in ("tiny", MeanColor())]
    both = ganeval.evaluate(real, drawn, metrics=("fid", "fd_tiny"), extractor=MeanColor(), num_images=32)
    assert passes == [32]
    assert both.extractor == "mean-color, tiny"
    assert set(both.provenance["networks"]) == {"mean-color", "tiny"}
    whole = ganeval.evaluate(real, fake, metrics=("fid", "fd_tiny"), extractor=MeanColor())
    assert whole.scores == {**alone[1].scores, **alone[0].scores}


def test_a_convention_is_of_inception_and_leaves_other_networks_beside_it_alone(real: Tensor, fake: Tensor, standin: Path) -> None:
    names = ("fid", "fd_tiny")
    report = ganeval.evaluate(real[:3], fake[:3], metrics=names, extractor="inception", weights=standin, convention="clean-fid")
    assert report.scores["fd_tiny"] == ganeval.evaluate(real[:3], fake[:3], extractor="tiny").scores["fd_tiny"]
    assert "bicubic" in report.provenance["networks"]["inception"]["preprocessing"]
    with pytest.raises(InputError, match="the tiny extractor has its own preprocessing"):
        ganeval.evaluate(real, fake, extractor="tiny", convention="clean-fid")


def test_all_leaves_out_what_the_sets_do_not_allow_and_says_why(real: Tensor, fake: Tensor) -> None:
    report = ganeval.evaluate(real, fake, metrics="all", **TINY)
    notes = "\n".join(report.notes)
    assert {"fd_tiny", "kd_tiny", "sfd_tiny", "recall_tiny", "cmmd_tiny", "fd_infinity_tiny"} <= set(report.scores)
    assert "ct_tiny left out: ct_tiny needs real images that the generator was not trained on" in notes
    assert "intra_fd_tiny left out: scores within classes need the class of every real image" in notes
    with_held_out = ganeval.evaluate(real, fake, metrics="all", held_out=as_tensor(pictures(70, (32, 32), skip=150)), **TINY)
    assert {"ct_tiny", "fld_tiny"} <= set(with_held_out.scores)
    assert with_held_out.provenance["held_out"]["count"] == 70
    assert set(report.scores) < set(with_held_out.scores)
    for key, score in report.scores.items():
        assert with_held_out.scores[key] == score


def test_all_leaves_out_what_the_network_does_not_offer(real: Tensor, fake: Tensor) -> None:
    class Bare:
        name, dim = "bare", 3

        def __call__(self, images: Tensor) -> Activations:
            return Activations(images.float().mean(dim=(2, 3)))

    report = ganeval.evaluate(real, fake, metrics="all", extractor=Bare(), subset_size=20, num_subsets=5)
    assert {"fd_bare", "kd_bare", "recall_bare"} <= set(report.scores)
    assert "is_bare, is_infinity_bare, intra_is_bare left out: the extractor bare has no class logits" in report.notes
    assert "sfd_bare left out: the extractor bare has no spatial features" in report.notes


def test_what_was_asked_for_by_name_is_refused_before_any_work(real: Tensor, fake: Tensor) -> None:
    class Never(MeanColor):
        def __call__(self, images: Tensor) -> Activations:
            raise AssertionError("the network was run")

    for names, message in (
        (("ct",), "generator was not trained on; name them with --held-out"),
        (
            ("kid",),
            "kd_mean_color needs at least 1,000 fake images, got 70; add images, or leave it out, or choose a subset size of at most 70",
        ),
        (("is",), "is_mean_color needs at least 100 fake images, got 70.*at most 70 splits"),
        (("recall",), "recall_mean_color needs at least 4 fake images, got 3"),
    ):
        some = fake[:3] if names == ("recall",) else fake
        with pytest.raises(InputError, match=message):
            ganeval.evaluate(real, some, metrics=names, extractor=Never(), num_splits=100)


def test_a_stats_file_serves_the_metrics_that_need_no_images(real: Tensor, fake: Tensor, tmp_path: Path) -> None:
    Evaluator(real, **TINY).reference.save(tmp_path / "real.npz")
    report = ganeval.evaluate(tmp_path / "real.npz", fake, metrics="all", **TINY)
    from_images = ganeval.evaluate(real, fake, metrics="all", **TINY)
    assert {"fd_tiny", "is_tiny", "vendi_tiny", "fd_infinity_tiny"} <= set(report.scores)
    assert "kd_tiny" not in report.scores
    assert report.scores["fd_tiny"].value == pytest.approx(from_images.scores["fd_tiny"].value, rel=1e-9)
    assert report.scores["fd_tiny"].error == pytest.approx(from_images.scores["fd_tiny"].error, rel=1e-6)
    with pytest.raises(InputError, match="holds stats, but kd_tiny needs the images themselves"):
        ganeval.evaluate(tmp_path / "real.npz", fake, metrics=("kid",), **TINY)
    with pytest.raises(InputError, match="a standard error needs the images themselves"):
        ganeval.evaluate(real, tmp_path / "real.npz", spread=True, **TINY)
    assert ganeval.evaluate(real, tmp_path / "real.npz", **TINY).scores["fd_tiny"].error is None


def test_error_bars_can_be_left_out(real: Tensor, fake: Tensor) -> None:
    with_bars, without = (ganeval.evaluate(real, fake, metrics="all", spread=spread, **TINY) for spread in (None, False))
    assert [score.value for score in without.scores.values()] == [score.value for score in with_bars.scores.values()]
    assert all(score.error is None for score in without.scores.values())
    missing = {key for key, score in with_bars.scores.items() if score.error is None}
    assert missing == {"fd_infinity_tiny"}  # it takes longer than a tenth of the run
    costly = ganeval.evaluate(real, fake, metrics=("fid_infinity",), spread=True, **TINY)
    assert costly.scores["fd_infinity_tiny"].error is not None


def test_folders_are_classes(sorted_into_classes: tuple[Path, Path]) -> None:
    report = ganeval.evaluate(*sorted_into_classes, metrics=("intra_fid", "intra_is"), extractor="tiny")
    parts = [report.scores[f"intra_fd_tiny/{name}"].value for name in ("cat", "dog", "ship")]
    assert report.scores["intra_fd_tiny"].value == pytest.approx(sum(parts) / 3, rel=1e-12)
    real, fake = sorted_into_classes
    assert parts[1] == pytest.approx(ganeval.fid(real / "dog", fake / "dog", extractor="tiny"), rel=1e-9)
    alone = ganeval.inception_score(fake / "dog", extractor="tiny", num_splits=1)
    assert report.scores["intra_is_tiny/dog"].value == pytest.approx(alone.value, rel=1e-6)


def test_classes_must_be_the_same_on_both_sides_and_more_than_one(sorted_into_classes: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = sorted_into_classes
    other = tmp_path / "other"
    for name in ("cat", "dog", "frog"):
        save_all(pictures(4, (32, 32)), other / name)
    with pytest.raises(InputError, match="the class frog is on one side only"):
        ganeval.evaluate(real, other, metrics=("intra_fid",), extractor="tiny")
    with pytest.raises(InputError, match="need the class of every real image; sort them into one folder for each class"):
        ganeval.evaluate(real / "cat", fake / "cat", metrics=("intra_fid",), extractor="tiny")
    one = tmp_path / "one"
    save_all(pictures(4, (32, 32)), one / "cat")
    with pytest.raises(InputError, match="need at least two, but all fake images are of the class cat"):
        ganeval.evaluate(real, one, metrics=("intra_is",), extractor="tiny")
    save_all(pictures(1, (32, 32)), one / "dog")
    with pytest.raises(InputError, match="the class dog has 1 fake images, and each needs at least 2; add images"):
        ganeval.evaluate(real, one, metrics=("intra_is",), extractor="tiny")


def classes_of(source: object) -> tuple[str, ...] | None:
    seen = Seen()
    for _ in open_images(source).batches(seen, batch_size=3):
        pass
    return seen.classes


def test_labels_of_datasets_loaders_and_arrays_are_classes(tmp_path: Path) -> None:
    images, labels = torch.zeros(4, 3, 4, 4, dtype=torch.uint8), torch.tensor([2, 0, 1, 2])
    named = TensorDataset(images, labels)
    named.classes = ["cat", "dog", "ship"]  # type: ignore[attr-defined]
    assert classes_of(named) == ("ship", "cat", "dog", "ship")
    assert classes_of(DataLoader(named, batch_size=3)) == ("ship", "cat", "dog", "ship")
    assert classes_of(TensorDataset(images, labels)) == ("2", "0", "1", "2")
    assert classes_of(TensorDataset(images, labels.float())) is None
    assert classes_of(TensorDataset(images)) is None
    assert classes_of(images) is None
    np.savez(tmp_path / "adm.npz", arr_0=images.permute(0, 2, 3, 1).numpy(), arr_1=labels.numpy())
    assert classes_of(tmp_path / "adm.npz") == ("2", "0", "1", "2")


def test_pairs_go_by_name_and_give_what_the_pictures_alone_give(tmp_path: Path, real: Tensor, fake: Tensor) -> None:
    targets, made = pictures(30, (32, 32)), pictures(30, (32, 32), skip=30)
    save_all(targets, tmp_path / "targets")
    save_all(made, tmp_path / "made")
    report = ganeval.evaluate(tmp_path / "targets", tmp_path / "made", metrics=("l1", "psnr", "ssim", "fd_tiny"), spread=True)
    a, b = as_tensor(targets).double(), as_tensor(made).double()
    each = (a - b).abs().mean(dim=(1, 2, 3))
    assert report.scores["l1"].value == pytest.approx(each.mean().item(), rel=1e-12)
    assert report.scores["l1"].error == pytest.approx(each.std().item() / 30**0.5, rel=1e-12)
    assert report.scores["fd_tiny"] == ganeval.evaluate(tmp_path / "targets", tmp_path / "made", extractor="tiny").scores["fd_tiny"]
    assert ganeval.evaluate(tmp_path / "made", tmp_path / "made", metrics=("ssim",)).scores["ssim"].value == pytest.approx(1)


def test_what_is_no_pair_is_refused(tmp_path: Path, fake: Tensor) -> None:
    few, many, others = (tmp_path / name for name in ("few", "many", "others"))
    save_all(pictures(3, (32, 32)), few)
    save_all(pictures(5, (32, 32)), many)
    save_all(pictures(3, (40, 32)), others)
    for target, made, message in (
        (few, many, "00003.png has no target: .*few holds only 3 pictures"),
        (many, few, "many holds more than the 3 pictures that there are fakes"),
        (few, others, "00000.png is 40×32 pixels and its target 32×32"),
    ):
        with pytest.raises(InputError, match=message):
            ganeval.evaluate(target, made, metrics=("l1",))
    (few / "00001.png").rename(few / "x.png")
    with pytest.raises(InputError, match=r"00002.png would be compared with x.png|00001.png would be compared with 00002.png"):
        ganeval.evaluate(few, many, metrics=("l1",))
    assert ganeval.evaluate(fake[:3], fake[:3], metrics=("psnr",)).scores["psnr"].value == 100  # without names, by position


def test_a_network_without_positions_has_no_sfid(real: Tensor, fake: Tensor) -> None:
    with pytest.raises(InputError, match="the extractor mean-color has no spatial features, so it has no sFID"):
        ganeval.evaluate(real, fake, metrics=("sfid",), extractor=MeanColor())


def test_spatial_features_see_where_things_are(real: Tensor) -> None:
    """Pictures upside down have the same averages in a network without a sense of up; positions tell."""

    class Corners(nn.Module):
        name, dim = "corners", 3

        def forward(self, images: Tensor) -> Activations:
            x = images.float()
            return Activations(x.mean(dim=(2, 3)), None, x[:, :, ::16, ::16].flatten(1))

    scores = ganeval.evaluate(real, real.flip(2), metrics=("fid", "sfid"), extractor=Corners()).scores
    assert scores["fd_corners"].value == pytest.approx(0, abs=1e-6)
    assert scores["sfd_corners"].value > 100


def test_a_reader_is_told_of_equal_sets_and_of_fewer_reals_than_fakes(real: Tensor, fake: Tensor) -> None:
    same = ganeval.evaluate(real, real.clone(), extractor=MeanColor())
    assert same.scores["fd_mean_color"].value == pytest.approx(0, abs=1e-6)
    assert any("real and fake are the same 80 images" in note for note in same.notes)
    assert not any("the same" in note for note in ganeval.evaluate(real, fake, extractor=MeanColor()).notes)
    with pytest.raises(InputError, match="the held-out images are the real ones"):
        ganeval.evaluate(real, fake, held_out=real.clone(), metrics=("fld",), extractor=MeanColor())
    fewer = ganeval.evaluate(real[:50], fake, extractor=MeanColor())
    assert any("50 real images for 70 fakes" in note and "use at least 70" in note for note in fewer.notes)


ASKED: list[str] = []


def without_weights(**options: Any) -> Any:
    """The loader of an extractor whose weights cannot be had."""
    ASKED.append("again")
    raise InputError("the weights are not on this machine")


def test_where_nothing_can_be_computed_the_commonest_reason_is_given_once(
    real: Tensor, fake: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint(name="missing", value=f"{__name__}:without_weights", group="ganeval.extractors")
    monkeypatch.setattr("ganeval.extractors.entry_points", lambda group: [entry])
    with pytest.raises(InputError, match=r"no metric can be computed here\. In the way of most: the weights are not on this machine"):
        ganeval.evaluate(real, fake, metrics="all", extractor="missing", subset_size=20)
    assert ASKED == ["again"]
