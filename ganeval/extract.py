"""Images × extractor → what the metrics need: batched, streaming, one forward pass for all metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from ganeval.errors import InputError, InputTypeError
from ganeval.extractors.protocol import Activations, FeatureExtractor, TwoStage
from ganeval.images import ImageSource, Seen
from ganeval.measured import Measured
from ganeval.progress import Progress, silent
from ganeval.stats import FeatureStats

Need = Literal["stats", "logits"]


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

    Memory holds two batches, one [dim, dim] matrix if `needs` has "stats", and the logits [num_images, classes] if it has "logits".

    Raises:
        InputError: bad images, or features that are NaN or infinite.
        InputTypeError: the extractor has no logits, or returns something else than it declares.
    """
    seen = Seen()
    stats: FeatureStats | None = None
    logits: list[Tensor] = []
    runs = source.batches(seen, batch_size=batch_size, skip_bad=skip_bad)
    done = 0
    with progress(label, source.num_images, "images") as advance:
        for batch in full_batches(runs, batch_size):
            with inference(extractor, device):  # around the network only: a source may be somebody's training code
                activations = _activations(extractor, [run.to(device) for run in batch])
            size = sum(len(run) for run in batch)
            _check(activations, extractor, size, first=done)
            if "stats" in needs:
                part = FeatureStats.of(activations.features)
                stats = part if stats is None else stats + part
            if "logits" in needs:
                if activations.logits is None:
                    raise InputTypeError(f"the extractor {extractor.name} has no class logits, so it has no Inception Score")
                logits.append(activations.logits.cpu())
            done += size
            advance(size)
    return Measured(stats=stats.cpu() if stats else None, logits=torch.cat(logits) if logits else None), seen


def full_batches(runs: Iterable[Tensor], batch_size: int) -> Iterator[list[Tensor]]:
    """Regroup runs of one picture size each into lists that hold `batch_size` images together (the last one fewer).

    Whatever batches a source comes in, the network sees the same ones: equal pictures give equal scores, bit for bit.
    """
    batch: list[Tensor] = []
    room = batch_size
    for run in runs:
        while len(run):
            batch.append(run[:room])
            run, room = run[room:], room - len(batch[-1])
            if room == 0:
                yield batch
                batch, room = [], batch_size
    if batch:
        yield batch


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


def _activations(extractor: FeatureExtractor, runs: list[Tensor]) -> Activations:
    if isinstance(extractor, TwoStage):
        return extractor.network(torch.cat([extractor.prepare(run) for run in runs]))
    parts = [extractor(run) for run in runs]
    logits = [part.logits for part in parts if part.logits is not None]
    return Activations(torch.cat([part.features for part in parts]), torch.cat(logits) if len(logits) == len(parts) else None)


def _check(activations: Activations, extractor: FeatureExtractor, size: int, *, first: int) -> None:
    features, logits = activations
    if features.shape != (size, extractor.dim) or not features.is_floating_point():
        raise InputTypeError(
            f"the extractor {extractor.name} returned {features.dtype} {list(features.shape)} for {size} images, "
            f"expected float [{size}, {extractor.dim}]"
        )
    finite = features.isfinite().all(dim=1)
    if logits is not None:
        finite &= logits.isfinite().all(dim=1)
    if not finite.all():
        position = first + int((~finite).nonzero()[0])
        raise InputError(
            f"the extractor {extractor.name} gave NaN or infinite features, first for image {position} (from 0, in order); "
            "check the weights, and the image"
        )
