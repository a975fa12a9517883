"""Public data as torchvision reads them: `torchvision:CIFAR10:test`. Training finds them by the same way, in the same place."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ganeval.errors import InputError, nearest, reason
from ganeval.files import cache_folder
from ganeval.images.memory import DatasetImages

SPEC = re.compile(r"torchvision:(?P<name>\w+)(?::(?P<split>[\w-]+))?(?::(?P<root>.+))?")
BY_FLAG = ("CIFAR10", "CIFAR100", "FashionMNIST", "KMNIST", "MNIST", "QMNIST", "USPS")  # their split is `train=True` or not
BY_NAME: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "CelebA": ("train", "valid", "test", "all"),
        "Country211": ("train", "valid", "test"),
        "DTD": ("train", "val", "test"),
        "FGVCAircraft": ("train", "val", "trainval", "test"),
        "Flowers102": ("train", "val", "test"),
        "Food101": ("train", "test"),
        "GTSRB": ("train", "test"),
        "ImageNet": ("train", "val"),
        "Imagenette": ("train", "val"),
        "OxfordIIITPet": ("trainval", "test"),
        "PCAM": ("train", "val", "test"),
        "STL10": ("train", "test", "unlabeled", "train+unlabeled"),
        "SVHN": ("train", "test", "extra"),
    }
)
ADVICE = "fetch it where there is internet and put it into {home} as torchvision lays it out, or give a folder or .zip of the pictures"
SPLITS: Mapping[str, tuple[str, ...]] = MappingProxyType({**BY_NAME, **dict.fromkeys(BY_FLAG, ("train", "test"))})


def named_dataset(spec: str) -> DatasetImages:
    """The pictures of `torchvision:NAME:SPLIT`, or of `torchvision:NAME:SPLIT:FOLDER` where they do not lie with ganeval's own data.

    Raises:
        InputError: no such data or split, or they could not be fetched.
    """
    match = SPEC.fullmatch(spec)
    if match is None:
        raise InputError(f"{spec} names no dataset; write torchvision:CIFAR10:test, or torchvision:CIFAR10:test:FOLDER")
    name, split = match["name"], match["split"]
    known = {title.lower(): title for title in SPLITS}
    if name.lower() not in known:
        raise InputError(f"no data of torchvision are called {name!r}; {nearest(name, sorted(SPLITS))}")
    name = known[name.lower()]
    if split not in SPLITS[name]:
        raise InputError(f"{spec}: say which split: {', '.join(SPLITS[name])}")
    part = {"train": split == "train"} if name in BY_FLAG else {"split": split}
    dataset = fetched(name, root=Path(match["root"]) if match["root"] else None, **part)
    return DatasetImages(dataset, where=spec, class_names=class_names(dataset))


def fetched(title: str, *, root: Path | None = None, advice: str = ADVICE, **part: Any) -> Any:
    """torchvision's dataset of that class, downloaded and verified by torchvision where it is not at hand.

    Args:
        root: the folder that torchvision looks in; None is the one where ganeval keeps data, and nowhere else is anything downloaded to.
        advice: what to do where it is not there; {home} is that folder.
        part: `train` or `split`, as the class takes it.

    Raises:
        InputError: it is not there, or could not be downloaded.
    """
    from torchvision import datasets

    home = root or cache_folder("data")
    if root is None:
        home.mkdir(parents=True, exist_ok=True)
    download = {} if title == "ImageNet" else {"download": root is None}
    try:
        with _quiet():
            return getattr(datasets, title)(home, **download, **part)
    except (RuntimeError, OSError, ImportError) as error:  # offline, a wrong digest, CelebA without gdown or over Google's quota
        what = "could not be downloaded" if download.get("download") else f"is not in {home}"
        raise InputError(
            f"torchvision's {title} {what}: {reason(error, line=-1).rstrip('.')}; {advice.replace('{home}', str(home))}"
        ) from None


def class_names(dataset: Any) -> list[str]:
    """The classes of one; torchvision says "7 - seven" of a digit."""
    return [re.sub(r"^(\d) - .*", r"\1", str(name)) for name in getattr(dataset, "classes", ())]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """torchvision prints what it downloads."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
