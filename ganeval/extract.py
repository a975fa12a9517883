"""Images × extractors → what the metrics need: batched, streaming, one decode and one forward pass for all metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from ganeval.extractors.protocol import FeatureExtractor
from ganeval.forward import Forward
from ganeval.images import ImageSource, Seen
from ganeval.measured import Measured, Need
from ganeval.pairing import Pairing
from ganeval.progress import Progress, silent

RUN_BYTES = 2**22  # of uint8 pixels prepared at once: more of them are only more memory


def measure(
    source: ImageSource,
    extractors: Mapping[str, FeatureExtractor],
    *,
    needs: Mapping[str, Collection[Need]],
    device: torch.device,
    batch_size: int = 32,
    skip_bad: bool = False,
    progress: Progress = silent,
    label: str = "images",
    seen: Seen | None = None,
    pairing: Pairing | None = None,
    lenient: bool = False,
) -> tuple[dict[str, Measured], Seen]:
    """One pass over a source: each image is decoded once and goes through each network once.

    Memory holds pictures decoded ahead, and for each network what `Forward` keeps.

    Args:
        extractors, needs: of the same keys, which are also those of what is returned.
        seen: what to fill instead of a new one.
        lenient: whether an extractor may lack logits or spatial features that are needed; they are then None.
        pairing: what compares each image with its target on the way; the differences come back under the names of its networks.

    Raises:
        InputError: bad images, or features that are NaN or infinite.
        InputTypeError: an extractor has no logits or spatial features, or returns something else than it declares.
    """
    seen = seen or Seen()
    options: dict[str, Any] = {"device": device, "batch_size": batch_size, "lenient": lenient, "first": seen.first}
    networks = {name: Forward(extractor, needs[name], **options) for name, extractor in extractors.items()}
    images = source.batches(seen, batch_size=batch_size, skip_bad=skip_bad)
    with progress(label, source.num_images, "images") as advance:
        for run in regrouped(images, batch_size):
            for network in networks.values():
                network.add(run, seen)
            if pairing is not None:
                pairing.add(run, seen)
            advance(len(run))
        measured = {name: network.measured(seen) for name, network in networks.items()}
    return measured if pairing is None else {**measured, **pairing.measured()}, seen


def regrouped(batches: Iterable[Tensor], batch_size: int) -> Iterator[Tensor]:
    """The same images in runs of one picture size that end at every multiple of `batch_size` and stay under RUN_BYTES.

    Whatever batches a source comes in, the network sees the same ones: equal pictures give equal scores, bit for bit.
    """
    run: list[Tensor] = []
    for position, image in enumerate(chain.from_iterable(batches)):  # [3, height, width]
        if run and (position % batch_size == 0 or image.shape != run[0].shape or (len(run) + 1) * image.numel() > RUN_BYTES):
            yield _stacked(run)
            run = []
        run.append(image)
    if run:
        yield _stacked(run)


def _stacked(run: list[Tensor]) -> Tensor:
    """As one tensor; a single picture, which may be large, is not copied."""
    return run[0][None] if len(run) == 1 else torch.stack(run)
