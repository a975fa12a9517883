"""Images × extractor → what the metrics need: batched, streaming, one forward pass for all metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn

from ganeval.errors import InputError, InputTypeError
from ganeval.extractors.protocol import Activations, FeatureExtractor, TwoStage
from ganeval.images import ImageSource, Seen
from ganeval.measured import Measured
from ganeval.progress import Progress, silent
from ganeval.stats import FeatureStats

Need = Literal["stats", "logits", "features"]

RUN_BYTES = 2**25  # of uint8 pixels prepared at once; as float32 that is 128 MB


def measure(
    source: ImageSource,
    extractor: FeatureExtractor,
    *,
    needs: Collection[Need],
    device: torch.device,
    batch_size: int = 32,
    skip_bad: bool = False,
    progress: Progress = silent,
    label: str = "images",
) -> tuple[Measured, Seen]:
    """One pass over a source.

    Memory holds pictures decoded ahead, one batch of prepared ones, one [dim, dim] matrix if `needs` has "stats", and for all images
    the logits [num_images, classes] if it has "logits" and the features [num_images, dim] if it has "features".

    Raises:
        InputError: bad images, or features that are NaN or infinite.
        InputTypeError: the extractor has no logits, or returns something else than it declares.
    """
    seen = Seen()
    stats: FeatureStats | None = None
    logits: list[Tensor] = []
    features: list[Tensor] = []
    images = source.batches(seen, batch_size=batch_size, skip_bad=skip_bad)
    with progress(label, source.num_images, "images") as advance:
        for activations in _activations(images, extractor, device, batch_size, seen):
            if "stats" in needs:
                part = FeatureStats.of(activations.features)
                stats = part if stats is None else stats + part
            if "logits" in needs:
                if activations.logits is None:
                    raise InputTypeError(f"the extractor {extractor.name} has no class logits, so it has no Inception Score")
                logits.append(activations.logits.cpu())
            if "features" in needs:
                features.append(activations.features.cpu())
            advance(len(activations.features))
    return Measured(
        stats=stats.cpu() if stats else None,
        logits=torch.cat(logits) if logits else None,
        features=torch.cat(features) if features else None,
    ), seen


def regrouped(batches: Iterable[Tensor], batch_size: int) -> Iterator[Tensor]:
    """The same images in runs of one picture size that end at every multiple of `batch_size` and stay under RUN_BYTES.

    Whatever batches a source comes in, the network sees the same ones: equal pictures give equal scores, bit for bit.
    """
    run: list[Tensor] = []
    for position, image in enumerate(chain.from_iterable(batches)):  # [3, height, width]
        if run and (position % batch_size == 0 or image.shape != run[0].shape or (len(run) + 1) * image.numel() > RUN_BYTES):
            yield torch.stack(run)
            run = []
        run.append(image)
    if run:
        yield torch.stack(run)


@contextmanager
def inference(extractor: FeatureExtractor, device: torch.device) -> Iterator[None]:
    """No gradients, evaluation mode, full float32 precision, no autocast; all as it was afterwards."""
    modules = list(extractor.modules()) if isinstance(extractor, nn.Module) else []
    modes = [module.training for module in modules]
    matmul, convolution = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        for module in modules:
            module.training = False
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False  # on by default in torch: it would cost three digits of every feature
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = convolution
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def _activations(
    images: Iterable[Tensor], extractor: FeatureExtractor, device: torch.device, batch_size: int, seen: Seen
) -> Iterator[Activations]:
    """Of `batch_size` images at a time, and of the rest; of one run at a time where the extractor is not in two stages."""
    two_stage = extractor if isinstance(extractor, TwoStage) else None
    ready: list[Tensor] = []  # prepared, they are of one size, however large the pictures were
    done = 0
    for run in regrouped(images, batch_size):
        with inference(extractor, device):  # around the network only: a source may be somebody's training code
            ready.append(two_stage.prepare(run.to(device)) if two_stage else run.to(device))
        done += len(run)
        if two_stage is None or done % batch_size == 0:
            yield _through(extractor, torch.cat(ready), device, done, seen)
            ready = []
    if ready:
        yield _through(extractor, torch.cat(ready), device, done, seen)


def _through(extractor: FeatureExtractor, inputs: Tensor, device: torch.device, done: int, seen: Seen) -> Activations:
    """One call of the network, held to what it promises; `done` counts the images up to the last of these."""
    network = extractor.network if isinstance(extractor, TwoStage) else extractor
    with inference(extractor, device):
        activations = network(inputs)
    features, logits = activations
    if features.shape != (len(inputs), extractor.dim) or not features.is_floating_point():
        raise InputTypeError(
            f"the extractor {extractor.name} returned {features.dtype} {list(features.shape)} for {len(inputs)} images, "
            f"expected float [{len(inputs)}, {extractor.dim}]"
        )
    finite = features.isfinite().all(dim=1)
    if logits is not None:
        finite &= logits.isfinite().all(dim=1)
    if not finite.all():
        name = seen.name_of(done - len(inputs) + int((~finite).nonzero()[0]))
        raise InputError(
            f"the extractor {extractor.name} gave NaN or infinite features, first for {name}; check the weights, and the image"
        )
    return activations
