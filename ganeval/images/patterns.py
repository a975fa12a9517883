"""Which pictures of many: those that a pattern names, and never several kinds at once that belong apart."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ganeval.errors import InputError
from ganeval.images.walk import files_below

SPECIAL = frozenset("*?[")
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")
RESULT = re.compile(r".*_((?:real|fake|rec|idt)_[AB])\.\w+")  # as CycleGAN and pix2pix name the pictures of a test


def is_pattern(name: str) -> bool:
    """Whether a path that does not exist is meant as a pattern."""
    return not SPECIAL.isdisjoint(name)


def matches(name: str, pattern: str) -> bool:
    """Whether a path in an archive ends as the pattern says: `*_fake_B.png`, `images/*.png`."""
    return PurePosixPath(name).match(pattern.removeprefix("**/"))


def found(pattern: Path) -> list[Path]:
    """The files that a pattern names, sorted; `**` stands for any number of folders, hidden files are left out.

    Raises:
        InputError: there are none.
    """
    paths = _at_any_depth(pattern) if "**" in pattern.parts else [Path(name) for name in sorted(glob.glob(str(pattern)))]
    files = [path for path in paths if not path.is_dir()]  # a broken link or a pipe is an error when it is read
    if not files:
        what = (
            f"names {len(paths)} folders and no file; add /*.png" if paths else "names no file; put it in quotes, and look where it leads"
        )
        raise InputError(f"the pattern {pattern} {what}")
    return files


def _at_any_depth(pattern: Path) -> list[Path]:
    """`glob` goes in circles where links lead back up."""
    base = fixed_folder(pattern)
    wanted = pattern.relative_to(base).parts
    found = files_below(base) if base.is_dir() else ()
    return sorted((path for name, path in found if _fits(tuple(name.split("/")), wanted)), key=str)


def _fits(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a path is as `glob` would have it."""
    if not wanted or not parts:
        return not parts and set(wanted) <= {"**"}
    seen = wanted[0].startswith(".") or not parts[0].startswith(".")
    if wanted[0] == "**":
        return _fits(parts, wanted[1:]) or (seen and _fits(parts[1:], wanted))
    return seen and fnmatch.fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:])


def fixed_folder(pattern: Path) -> Path:
    """The leading folders of a pattern that have nothing special in them; pictures are named from there."""
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if is_pattern(part))
    return Path(*parts[:first])


def in_archive(pattern: Path) -> tuple[Path, str] | None:
    """The archive and what is wanted of it, where a pattern leads into one: `results.zip/images/*_fake_B.png`."""
    for parent in reversed(pattern.parents):
        if parent.suffix.lower() in ARCHIVES and (parent.is_file() or "{" in parent.name):
            return parent, pattern.relative_to(parent).as_posix()
    return None


def check_of_one_kind(where: str, names: Iterable[str]) -> None:
    """Refuse the results of a translation together with what they were made from.

    Raises:
        InputError: naming the pattern to use instead.
    """
    kinds: dict[str, str] = {}  # by name of the kind, one of its pictures
    for name in names:
        if ("_A." in name or "_B." in name) and (match := RESULT.fullmatch(name)):
            kinds.setdefault(match[1], name)
    if len(kinds) > 1:
        kind, name = min(kinds.items())  # fake_A or fake_B, where there is one
        pattern = f"{'**/' if '/' in name else ''}*_{kind}{os.path.splitext(name)[1]}"
        raise InputError(f"{where} mixes {', '.join(sorted(kinds))}; name those of one kind by a pattern in quotes: '{where}/{pattern}'")


def sample_of(name: str) -> str:
    """The webdataset sample that a file belongs to: its path to the first dot of its name, so that `7.jpg` and `7.mask.png` are of one."""
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{file.partition('.')[0]}"


def check_one_each(where: str, names: Sequence[str]) -> None:
    """Refuse webdataset samples of several pictures each: a picture and its mask are not two images.

    Raises:
        InputError: naming the pattern to use instead.
    """
    samples: Counter[str] = Counter()
    endings: set[str] = set()
    for name in names:
        sample = sample_of(name)
        samples[sample] += 1
        endings.add(name[len(sample) + 1 :])
    # A video's frames, `clip.0001.png` on, also share a stem, but then there are more endings than stems.
    if max(samples.values()) > 1 and len(endings) < len(samples):
        first = min(endings)
        raise InputError(
            f"{where} has samples of several pictures ({', '.join(sorted(endings)[:5])}); name one of them in quotes: '{where}/*.{first}'"
        )
