"""What a first batch must be for a model to learn from it; said before anything is trained."""

from __future__ import annotations

from torch import Tensor

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec
from ganeval.training.state import TrainState


def check_batch(batch: Batch, state: TrainState, *, check_range: bool) -> None:
    """Raise an InputError where pictures and model cannot meet: wrong shapes, labels or sources, ranges that a discriminator tells apart.

    `check_range` also looks at the values of pictures and of a first fake.
    """
    spec, images = state.model.spec, batch.images
    _check_shape("pictures", images, spec)
    if spec.task in ("classes", "attributes"):
        _check_labels(batch.labels, len(images), spec)
    if spec.task in ("pairs", "domains"):
        if batch.source is None:
            raise InputError(f"the task {spec.task!r} needs a source for each picture; give a Batch with images and source")
        _check_shape("sources", batch.source, spec)
    if check_range:
        _check_range(batch, state)


def _check_shape(what: str, images: Tensor, spec: DataSpec) -> None:
    expected = (spec.channels, spec.image_size, spec.image_size)
    if tuple(images.shape[1:]) != expected:
        raise InputError(f"the model makes pictures of {list(expected)}, but a batch has {what} of {list(images.shape[1:])}")


def _check_labels(labels: Tensor | None, number: int, spec: DataSpec) -> None:
    if labels is None:
        raise InputError(f"the task {spec.task!r} needs labels; give a Batch, or (images, labels)")
    expected = (number,) if spec.task == "classes" else (number, spec.num_labels)
    if tuple(labels.shape) != expected:
        raise InputError(f"the labels of {number} pictures must be of shape {list(expected)}, got {list(labels.shape)}")
    low, high = labels.min().item(), labels.max().item()
    if spec.task == "attributes":
        if not labels.is_floating_point() or not ((labels == 0) | (labels == 1)).all():
            raise InputError(f"attributes must be floats, 0 or 1; got {_type(labels)} from {low:g} to {high:g}")
    elif labels.is_floating_point() or low < 0 or high >= spec.num_labels:
        raise InputError(f"classes must be whole numbers from 0 to {spec.num_labels - 1}; got {_type(labels)} from {low:g} to {high:g}")


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _check_range(batch: Batch, state: TrainState) -> None:
    low, high = batch.images.min().item(), batch.images.max().item()
    if not (low >= -1 and high <= 1) or low >= 0:
        raise InputError(
            f"pictures for training are floats in [-1, 1], as the model's output is; the first batch goes from {low:.3g} to {high:.3g}. "
            "Scale it: images.float() / 127.5 - 1 for uint8, images * 2 - 1 for [0, 1]; check_range=False trusts it as it is"
        )
    with state.sampling() as rng:
        fakes = state.model.fakes(batch if batch.source is not None else batch._replace(source=batch.images), rng)
    name = type(state.model).__name__
    if fakes.shape != batch.images.shape:
        raise InputError(f"{name}.fakes gave {list(fakes.shape)} for a batch of {list(batch.images.shape)}")
    low, high = fakes.min().item(), fakes.max().item()
    if not (low >= -1 and high <= 1):
        raise InputError(f"{name}.fakes must stay in [-1, 1], it goes from {low:.3g} to {high:.3g}")
