"""Pairs and domains: every layout that people have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganeval.errors import InputError
from ganeval.training.batch import DataSpec
from ganeval.training.datasets import open_data
from ganeval.training.datasets.loose import open_pictures
from ganeval.training.datasets.pictures import Frame
from layouts import LAYOUTS, STRIPS, picture, reds, save, strip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_every_layout_of_pairs_stays_paired(tmp_path: Path, layout: str, direction: str) -> None:
    data = open_data(save(LAYOUTS[layout], tmp_path / "data"), task="pairs", image_size=8, direction=direction)  # type: ignore[arg-type]
    for split in (data.train, data.test):
        assert split.source is not None
        a, b = (split.source, split.images) if direction == "AtoB" else (split.images, split.source)
        assert sorted(reds(a)) == list(range(12))
        assert [level - 100 for level in reds(b)] == reds(a)


@pytest.mark.parametrize("folders", [("A", "B"), ("real_A_label", "real_B_photo")])
def test_pairs_without_a_split_are_held_out_together(tmp_path: Path, folders: tuple[str, str]) -> None:
    found = {f"{folder}/{i}.png": picture((level + i, 0, 0)) for folder, level in zip(folders, (0, 100), strict=True) for i in range(30)}
    if folders[0] != "A":
        found |= {f"fake_B/{i}.png": picture((0, 0, 0)) for i in range(30)}
    data = open_data(save(found, tmp_path / "data"), task="pairs", image_size=8)
    assert (len(data.train), len(data.test)) == (26, 4)
    assert data.train.source is not None
    assert [level + 100 for level in reds(data.train.source)] == reds(data.train.images)
    assert data.spec.domains == folders


def test_both_pictures_of_a_pair_are_resized_whole(tmp_path: Path) -> None:
    wide = picture((0, 0, 0), (32, 8))
    wide.paste(picture((200, 0, 0), (16, 8)), (0, 0))
    found = {f"{side}/{i}.png": wide for side in "AB" for i in range(6)}
    image = open_data(save(found, tmp_path / "data"), task="pairs", image_size=8).train.images[0]
    assert image[0, 4, :3].tolist() == [200, 200, 203]  # bicubic rings
    assert image[0, 4, -2:].tolist() == [0, 0]


def test_files_without_a_partner_are_named(tmp_path: Path) -> None:
    found = {f"{side}/{i}.png": picture((i, 0, 0)) for side in "AB" for i in range(8)} | {"A/alone.png": picture((9, 0, 0))}
    with pytest.raises(InputError, match=r"1 of 9 pictures .* have no partner in B: alone"):
        open_data(save(found, tmp_path / "data"), task="pairs")


def test_domains_need_no_partners_and_take_strips_too(tmp_path: Path) -> None:
    found = {f"train{side}/{side}{i}.png": picture((i, 0, 0)) for side, num in (("A", 5), ("B", 8)) for i in range(num)}
    found |= {f"test{side}/{side}{i}.png": picture((i, 0, 0)) for side, num in (("A", 4), ("B", 6)) for i in range(num)}
    data = open_data(save(found, tmp_path / "data"), task="domains", image_size=8)
    assert data.train.source is not None
    assert (len(data.train.source), len(data.train.images), len(data.train)) == (5, 8, 8)
    strips = open_data(save(STRIPS, tmp_path / "strips"), task="domains", image_size=8)
    assert max(reds(strips.train.source)) < 100 <= min(reds(strips.train.images))


def test_pictures_to_translate_are_framed_as_those_that_were_trained_on(tmp_path: Path) -> None:
    wide = picture((0, 0, 0), (24, 16))
    wide.paste(picture((200, 0, 0), (12, 16)), (0, 0))
    photos = save({"a.png": wide, "b.jpg": wide, "b.png": wide}, tmp_path / "photos")
    names, whole = open_pictures(photos, DataSpec(task="pairs", image_size=8, channels=3))
    assert names == ["a", "b.jpg", "b.png"]  # two called b would be one file
    assert whole[0, 0, 4].tolist() == Frame(8, 3, "whole")(torch.from_numpy(np.array(wide)).permute(2, 0, 1))[0, 4].tolist()
    _, middle = open_pictures(photos, DataSpec(task="domains", image_size=8, channels=3))
    assert not middle.equal(whole)


def test_of_strips_it_must_be_said_which_half_is_translated(tmp_path: Path) -> None:
    strips, spec = save({"0.png": strip((7, 0, 0), (107, 0, 0))}, tmp_path / "strips"), DataSpec(task="pairs", image_size=8, channels=3)
    with pytest.raises(InputError, match="--part left, right or whole"):
        open_pictures(strips, spec)
    for part, red in (("left", 7), ("right", 107)):
        assert reds(open_pictures(strips, spec, part=part)[1]) == [red]  # type: ignore[arg-type]
