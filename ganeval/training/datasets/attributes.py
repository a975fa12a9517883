"""Tables of binary attributes: labels.csv, or CelebA's list_attr_celeba in its text and its csv form."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import torch
from torch import Tensor

from ganeval.errors import InputError, printable, reason, shortened
from ganeval.files import content
from ganeval.training.datasets.files import Files
from ganeval.zips import check_member, opened_zip

TABLES = ("labels.csv", "list_attr_celeba.txt", "list_attr_celeba.csv")
STARGAN = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")  # Choi et al. 2018, sec. 5.1
MOST = 10  # attributes taken where none are chosen
MAX_TABLE = 2**28  # bytes; that of CelebA has 26 million
VALUES = {"1": 1.0, "0": 0.0, "-1": 0.0}


class AttributeTable(NamedTuple):
    where: str
    names: tuple[str, ...]
    rows: Mapping[str, Sequence[str]]  # by file name

    @property
    def default(self) -> tuple[str, ...]:
        """The five of StarGAN where the table has them, else the first ten."""
        return STARGAN if set(STARGAN) <= set(self.names) else self.names[:MOST]

    def labels(self, files: Files, names: Sequence[str]) -> Tensor:
        """float32 [num, len(names)] of 0 and 1.

        Raises:
            InputError: pictures that the table does not have, or values other than 0, 1 and −1.
        """
        columns = [self.names.index(name) for name in names]
        found = [self.rows.get(file.member) or self.rows.get(file.member.rsplit("/", 1)[-1]) for file in files.files]
        missing = [file.member for file, row in zip(files.files, found, strict=True) if row is None]
        if missing:
            raise InputError(f"{len(missing)} of {len(found)} pictures are not in {self.where}, the first is {printable(missing[0])}")
        labels = torch.empty(len(found), len(columns))
        for index, row in enumerate(found):
            assert row is not None
            for position, column in enumerate(columns):
                if row[column] not in VALUES:
                    name, said, member = shortened(self.names[column]), row[column], printable(files.files[index].member)
                    raise InputError(
                        f"{self.where} says {name} = {said!r:.60} of {member}; an attribute is 1, or 0 or −1 where it is absent"
                    )
                labels[index, position] = VALUES[row[column]]
        return labels


def attribute_table(files: Files) -> AttributeTable:
    """The table beside the pictures.

    Raises:
        InputError: there is none, or it is no table.
    """
    for where, text in _texts(files.where):
        return _from_celeba(where, text) if where.endswith(".txt") else _from_csv(where, text)
    raise InputError(
        f"{files.where} has no attributes: put a table beside the pictures, labels.csv (a column with the file names, "
        "then one of 0 and 1 for each attribute) or list_attr_celeba.txt"
    )


def _texts(where: Path) -> Iterator[tuple[str, str]]:
    """(path, content) of the tables in a folder, the folders in it and the one above; or anywhere in a zip."""
    if where.is_dir():
        for folder in (where, *sorted(path for path in where.iterdir() if path.is_dir()), where.absolute().parent):
            for path in map(folder.joinpath, TABLES):
                if path.is_file():
                    yield str(path), content(path, most=MAX_TABLE).decode("utf-8-sig", errors="replace")
        return
    with opened_zip(where) as archive:
        for member in sorted(archive.namelist()):
            if member.rsplit("/", 1)[-1] in TABLES:
                yield f"{where}/{printable(member)}", _unpacked(archive, member, where).decode("utf-8-sig", errors="replace")


def _unpacked(archive: ZipFile, member: str, where: Path) -> bytes:
    try:
        check_member(archive.getinfo(member), most=MAX_TABLE)
        return archive.read(member)
    except Exception as error:  # damaged, encrypted or a bomb: zipfile and its decompressors have an exception for each
        raise InputError(f"{printable(member)} in {where} cannot be read: {reason(error)}; pack it again") from None


def _from_csv(where: str, text: str) -> AttributeTable:
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text, newline=None)) if line]
    except csv.Error as error:
        raise InputError(f"{where} is no table of attributes: {reason(error)}") from None
    if not lines or len(lines[0]) < 2:
        raise InputError(f"{where} is no table of attributes: its first line names the column of files and at least one attribute")
    return _table(where, lines[0][1:], lines[1:])


def _from_celeba(where: str, text: str) -> AttributeTable:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or len(lines[0]) != 1 or not lines[0][0].isdigit():
        raise InputError(f"{where} is no list of attributes: its first line is the number of pictures, its second names the attributes")
    return _table(where, lines[1], lines[2:])


def _table(where: str, names: Sequence[str], lines: Sequence[Sequence[str]]) -> AttributeTable:
    for line in lines:
        if len(line) != 1 + len(names):
            raise InputError(f"{where} has {len(names)} attributes and {len(line) - 1} values for {printable(shortened(line[0]))}")
    if len(set(names)) < len(names):
        raise InputError(f"{where} names an attribute twice: {printable(shortened(', '.join(names)))}")
    return AttributeTable(where, tuple(map(printable, names)), {line[0]: line[1:] for line in lines})
