"""Attribute tables beside pictures: CSV and CelebA's."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganeval.errors import InputError
from ganeval.training.datasets import open_data
from layouts import picture, reds, save, zipped


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return save({f"images/{i:03d}.png": picture((i, 0, 0)) for i in range(20)}, tmp_path / "faces")


def table(rows: dict[str, list[object]], header: str = "filename,Even,Large") -> str:
    return "\n".join([header, *(",".join(map(str, [name, *row])) for name, row in rows.items())]) + "\n"


ROWS: dict[str, list[object]] = {f"{i:03d}.png": [1 - i % 2, int(i > 9)] for i in range(20)}


def celeba(rows: dict[str, list[object]]) -> str:
    lines = [f"{name}  " + "  ".join("1" if value else "-1" for value in row) for name, row in rows.items()]
    return "\n".join([str(len(rows)), "Even Large ", *lines]) + "\n"


@pytest.mark.parametrize("place", ["labels.csv", "images/labels.csv", "../labels.csv", "list_attr_celeba.txt", "zip"])
def test_attributes_are_read_from_the_table_beside_the_pictures(faces: Path, place: str) -> None:
    text = celeba(ROWS) if place.endswith(".txt") else table(ROWS)
    (faces / ("labels.csv" if place == "zip" else place)).write_text(text)
    data = open_data(zipped(faces) if place == "zip" else faces, task="attributes", image_size=16)
    assert data.spec.label_names == ("Even", "Large")
    for split in (data.train, data.test):
        assert split.labels is not None
        assert split.labels.tolist() == [[float(1 - level % 2), float(level > 9)] for level in reds(split.images)]
    chosen = open_data(faces if place != "zip" else faces.with_suffix(".zip"), task="attributes", image_size=16, attributes=["Large"])
    assert chosen.spec.label_names == ("Large",)


def test_the_five_attributes_of_stargan_are_chosen_where_they_are(faces: Path) -> None:
    five = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
    header = ",".join(["filename", "Bald", *five[::-1]])
    (faces / "labels.csv").write_text(table({name: [0, 1, 0, 1, 0, 1] for name in ROWS}, header))
    data = open_data(faces, task="attributes")
    assert data.spec.label_names == tuple(five)
    assert data.train.labels is not None
    assert data.train.labels[0].tolist() == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("rows", "attributes", "message"),
    [
        (ROWS, ["Evn"], "no attribute 'Evn'; did you mean Even"),
        (ROWS | {"003.png": [2, 0]}, [], "Even = '2' of .*003.png"),
        ({name: row for name, row in ROWS.items() if name != "007.png"}, [], "1 of .* pictures are not in .*007.png"),
        (ROWS | {"003.png": [1]}, [], "2 attributes and 1 values for 003.png"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(faces: Path, rows: dict[str, list[object]], attributes: list[str], message: str) -> None:
    (faces / "labels.csv").write_text(table(rows))
    with pytest.raises(InputError, match=message):
        open_data(faces, task="attributes", attributes=attributes)
