"""The labelled public data that torchvision reads: MNIST, Fashion-MNIST, CIFAR-10 and CelebA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from ganeval.images import vision
from ganeval.images.seen import pixel_digest
from ganeval.training.batch import DataSpec, Task
from ganeval.training.data import Split, Stored, TrainingData
from ganeval.training.datasets.attributes import STARGAN
from ganeval.training.datasets.files import File, Files
from ganeval.training.datasets.pictures import Frame, load
from ganeval.training.datasets.provenance import described, shared_note
from ganeval.training.datasets.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """A data set as torchvision has it."""

    name: str
    title: str  # of torchvision's class, too
    about: str
    files: str  # what torchvision looks for below the cache folder
    address: str
    tasks: tuple[Task, ...]
    size: int | None = None  # pixels, of all its pictures
    channels: int = 3


_FOUND = (
    Public(
        name="mnist",
        title="MNIST",
        about="70,000 handwritten digits, gray, 28×28 (12 MB)",
        files="MNIST/raw/{train,t10k}-{images-idx3,labels-idx1}-ubyte",
        address="https://ossci-datasets.s3.amazonaws.com/mnist/",
        tasks=("images", "classes"),
        size=28,
        channels=1,
    ),
    Public(
        name="fashion-mnist",
        title="FashionMNIST",
        about="70,000 pieces of clothing, gray, 28×28 (31 MB)",
        files="FashionMNIST/raw/{train,t10k}-{images-idx3,labels-idx1}-ubyte",
        address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        tasks=("images", "classes"),
        size=28,
        channels=1,
    ),
    Public(
        name="cifar10",
        title="CIFAR10",
        about="60,000 photographs of 10 classes, color, 32×32 (170 MB)",
        files="cifar-10-python.tar.gz",
        address="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        tasks=("images", "classes"),
        size=32,
    ),
    Public(
        name="celeba",
        title="CelebA",
        about="202,599 faces with 40 attributes, color, 178×218 (1.4 GB)",
        files="celeba/ with img_align_celeba/, list_attr_celeba.txt, list_eval_partition.txt and the other lists",
        address="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        tasks=("images", "attributes"),
    ),
)
PUBLIC: Mapping[str, Public] = MappingProxyType({public.name: public for public in _FOUND})


def open_public(public: Public, request: Request) -> TrainingData:
    """The official train and test split.

    Raises:
        InputError: it could not be fetched.
    """
    return _faces(public, request) if public.name == "celeba" else _tiles(public, request)


def _tiles(public: Public, request: Request) -> TrainingData:
    """Small pictures that torchvision holds in memory."""
    found = [_fetched(public, train=part) for part in (True, False)]
    images = [_as_rgb(one.data) for one in found]
    classes = request.task == "classes"
    names = vision.class_names(found[0])
    spec = request.spec(own_size=public.size, own_channels=public.channels, label_names=names if classes else ())
    labels = [torch.as_tensor(one.targets) if classes else None for one in found]
    train = Split(images=Stored(_framed(images[0], Frame(request.train_size(spec), spec.channels))), labels=labels[0])
    test = Split(images=Stored(_framed(images[1], Frame(spec.image_size, spec.channels))), labels=labels[1])
    digests = [frozenset(map(pixel_digest, part)) for part in images]
    return _data(public, spec, request, train, test, shared_note(*digests))


def _faces(public: Public, request: Request) -> TrainingData:
    """Pictures that torchvision leaves in their files."""
    names: tuple[str, ...] = ()
    splits: list[Split] = []
    for which in ("train", "test"):
        found = _fetched(public, split=which)
        known = [name for name in found.attr_names if name]  # the list's header ends in a space
        names = request.chosen_attributes(known, STARGAN, where=public.name) if request.task == "attributes" else ()
        spec = request.spec(label_names=names)
        files = Files(Path(found.root, "celeba", "img_align_celeba"), tuple(File(name, name) for name in found.filename))
        frame = Frame(request.train_size(spec) if which == "train" else spec.image_size, spec.channels)
        images = load(files, [frame], what=f"{public.name}, {which}", progress=request.progress).pictures[0]
        labels = found.attr[:, [known.index(name) for name in names]].float() if names else None
        splits.append(Split(images=images, labels=labels))
    return _data(public, spec, request, splits[0], splits[1], [])


def _data(public: Public, spec: DataSpec, request: Request, train: Split, test: Split, notes: list[str]) -> TrainingData:
    provenance = described(public.name, public.address, spec, request, train, test, how="official", notes=notes)
    return TrainingData(name=public.name, spec=spec, train=train, test=test, provenance=provenance)


def _fetched(public: Public, **part: Any) -> Any:
    """torchvision's dataset, downloaded and verified by torchvision where it is not at hand.

    Raises:
        InputError: it could not be downloaded.
    """
    where = f"fetch it from {public.address} where there is internet and put {public.files} into "
    return vision.fetched(public.title, advice=where + "{home}, or train on a folder or .zip of your own", **part)


def _as_rgb(data: Any) -> Tensor:
    """torchvision's array [num, height, width] or [num, height, width, 3] → uint8 [num, 3, height, width]."""
    images = torch.as_tensor(data)
    return images[:, None].expand(-1, 3, -1, -1) if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()


def _framed(images: Tensor, frame: Frame) -> Tensor:
    if images.shape[2:] == (frame.size, frame.size) and frame.channels == 3:
        return images.contiguous()
    return torch.stack([frame(image) for image in images])
