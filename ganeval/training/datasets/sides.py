"""Two sides of a data set: strips of two pictures side by side, or two folders, matched by name for pairs."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from ganeval.errors import InputError, printable
from ganeval.training.datasets.files import File, Files, Splits, held_out, official, split
from ganeval.training.datasets.pictures import Part, first_size, is_strip

NAMED = 5  # files that an error names
KNOWN = (("a", "b"), ("source", "target"), ("input", "target"), ("real_a", "real_b"))  # beginnings of folders, in small letters


class Sides(NamedTuple):
    names: tuple[str, str]
    train: tuple[Files, Files]
    test: tuple[Files, Files]
    parts: tuple[Part, Part]  # of each file
    how: str
    notes: tuple[str, ...] = ()

    @property
    def strips(self) -> bool:
        """Whether both sides are in the same files."""
        return self.parts == ("left", "right")


def sides(files: Files, task: Literal["pairs", "domains"]) -> Sides:
    """The sides of what lies there; those of pairs are in the same order.

    Raises:
        InputError: neither strips nor two folders, or files of a pair that have no partner.
    """
    splits = official(files)
    folders = _two_folders(splits.train if splits else files)
    if folders is None:
        return _strips(splits or split(files), task)
    if splits is not None and _two_folders(splits.test) != folders:
        raise InputError(f"{files.where} has the sides {' and '.join(folders)} to train on, and other folders to test with")
    if splits is None:
        both = files.below(folders[0]), files.below(folders[1])
        if task == "pairs":
            both = _matched(both, folders)
        first, second = (held_out(side, _stem) for side in both)
        how = first.how if task == "pairs" else f"{folders[0]}: {first.how}; {folders[1]}: {second.how}"
        train, test = (first.train, second.train), (first.test, second.test)
    else:
        how = splits.how
        train, test = ((part.below(folders[0]), part.below(folders[1])) for part in (splits.train, splits.test))
        if task == "pairs":
            train, test = _matched(train, folders), _matched(test, folders)
    part: Part = "whole" if task == "pairs" else "middle"
    return Sides(folders, train, test, (part, part), how, _left_out(files, train, test))


def _two_folders(files: Files) -> tuple[str, str] | None:
    folders = files.folders()
    for first, second in KNOWN:
        found = [[folder for folder in folders if _begins(folder, beginning)] for beginning in (first, second)]
        if len(found[0]) == len(found[1]) == 1:
            return found[0][0], found[1][0]
    return (folders[0], folders[1]) if len(folders) == 2 and "" not in folders else None


def _begins(folder: str, beginning: str) -> bool:
    """`real_A_label` begins with `real_a`, and `animals` not with `a`."""
    small = folder.lower()
    return small == beginning or small.startswith(beginning + "_")


def _strips(splits: Splits, task: str) -> Sides:
    files = splits.train if splits.train.files else splits.test
    width, height = first_size(files)
    if not is_strip(width, height):
        raise InputError(
            f"{files.where} has no two sides for {task}: neither two folders (A and B, or trainA, trainB, testA, testB) "
            f"nor strips of two pictures side by side ({printable(files.files[0].member)} has {width}×{height} pixels)"
        )
    both = splits.train, splits.train
    return Sides(("A", "B"), both, (splits.test, splits.test), ("left", "right"), splits.how, splits.notes)


def _matched(both: tuple[Files, Files], folders: tuple[str, str]) -> tuple[Files, Files]:
    """Both sides in the order of their stems.

    Raises:
        InputError: files without a partner, or with two.
    """
    for files, folder in zip(both, folders, strict=True):
        doubled = [stem for stem, count in Counter(map(_stem, files.files)).items() if count > 1]
        if doubled:
            raise InputError(f"{files.where} has several pictures {_few(doubled)} in {folder}; a pair is one picture in each folder")
    first, second = ({_stem(file): file for file in files.files} for files in both)
    for have, lack, folder in ((first, second, folders[1]), (second, first, folders[0])):
        if alone := sorted(have.keys() - lack.keys()):
            raise InputError(f"{len(alone)} of {len(have)} pictures in {both[0].where} have no partner in {folder}: {_few(alone)}")
    stems = sorted(first)
    return both[0].only([first[stem] for stem in stems]), both[1].only([second[stem] for stem in stems])


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(printable, names[:NAMED])) + more


def _left_out(files: Files, train: tuple[Files, Files], test: tuple[Files, Files]) -> tuple[str, ...]:
    num = len(files.files) - sum(len(part.files) for part in (*train, *test))
    return (f"{num} pictures in other folders were left out",) if num else ()


def _stem(file: File) -> str:
    return PurePosixPath(file.name).with_suffix("").as_posix()
