"""One network's part of a pass over images: batches through it, what it says checked, what is needed of it kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganeval.errors import InputError, InputTypeError
from ganeval.extractors.protocol import Activations, FeatureExtractor, TwoStage, joined
from ganeval.halving import Halving
from ganeval.images import Seen
from ganeval.machine import sent
from ganeval.measured import Measured, Need, Rows

# Images whose activations are looked at together: a look waits for a GPU, and a pass over the [dim, dim] matrix of stats costs as much as
# products with a few rows.
BLOCK = 512


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


class Forward:
    """What one network leaves of the images of one pass.

    Memory: one batch of prepared images, the activations of BLOCK images, one [dim, dim] matrix for "stats", up to 16,384 rows for
    "sample", and of all images the logits [num_images, classes] for "logits" and the features [num_images, dim] for "features".
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        needs: Collection[Need],
        *,
        device: torch.device,
        batch_size: int,
        lenient: bool = False,
        first: int = 0,
    ) -> None:
        self._extractor = extractor
        self._two_stage = extractor if isinstance(extractor, TwoStage) else None
        self._device = device
        self._batch_size = batch_size
        self._halving = Halving(f"the extractor {extractor.name}")
        self._lenient = lenient  # whether logits and spatial features may be missing
        self._ready: list[Tensor] = []  # prepared, they are of one size, however large the pictures were
        self._done = 0
        self._pending: list[Activations] = []  # not looked at yet
        self._first = first  # the position of the first image
        self._rows = Rows(needs, extractor.dim, first=first)
        self._logits: list[Tensor] | None = [] if "logits" in needs else None
        self._spatial_needs = {need.removeprefix("spatial ") for need in needs if need.startswith("spatial ")}
        self._spatial: Rows | None = None

    def add(self, images: Tensor, seen: Seen) -> None:
        """Take uint8 [num, 3, height, width] of one size; the network runs when a batch is full, or at once if it is not in two stages."""
        with inference(self._extractor, self._device):  # around the network only: a source may be somebody's training code
            images = sent(images, self._device)
            self._ready += self._halving(self._two_stage.prepare, images) if self._two_stage else [images]
        self._done += len(images)
        if self._two_stage is None or self._done % self._batch_size == 0:
            self._run(seen)

    def measured(self, seen: Seen) -> Measured:
        """Everything, after the last images."""
        self._run(seen)
        self._settle(seen)
        kept = self._rows.vectors()
        return Measured(
            stats=kept.stats,
            features=kept.features,
            sample=kept.sample,
            keys=kept.keys,
            logits=torch.cat(self._logits) if self._logits else None,
            spatial=None if self._spatial is None else self._spatial.vectors(),
            classes=seen.classes,
            halved=self._halving.halved,
        )

    def _run(self, seen: Seen) -> None:
        if not self._ready:
            return
        inputs, self._ready = torch.cat(self._ready), []
        network = self._two_stage.network if self._two_stage else self._extractor
        with inference(self._extractor, self._device):
            for activations in self._halving(lambda images: self._checked(network(images), len(images)), inputs):
                self._pending.append(activations)
        if sum(len(one.features) for one in self._pending) >= BLOCK:
            self._settle(seen)

    def _checked(self, activations: Activations, number: int) -> Activations:
        """The same, if the network holds what it promises."""
        name, features = self._extractor.name, activations.features
        if features.shape != (number, self._extractor.dim) or not features.is_floating_point():
            raise InputTypeError(
                f"the extractor {name} returned {features.dtype} {list(features.shape)} for {number} images, "
                f"expected float [{number}, {self._extractor.dim}]"
            )
        if self._logits is not None and activations.logits is None and not self._lenient:
            raise InputTypeError(f"the extractor {name} has no class logits, so it has no Inception Score")
        if self._spatial_needs and activations.spatial is None and not self._lenient:
            raise InputTypeError(f"the extractor {name} has no spatial features, so it has no sFID; inception and tiny have")
        return activations

    def _settle(self, seen: Seen) -> None:
        """Keep what is needed of the activations that came since the last time."""
        if not self._pending:
            return
        activations, self._pending = joined(self._pending), []
        self._check_finite(activations, seen)
        self._rows.add(activations.features)
        if self._logits is not None and activations.logits is not None:
            self._logits.append(activations.logits.cpu())
        if self._spatial_needs and activations.spatial is not None:
            self._spatial = self._spatial or Rows(self._spatial_needs, activations.spatial.shape[1], first=self._first)
            self._spatial.add(activations.spatial)

    def _check_finite(self, activations: Activations, seen: Seen) -> None:
        finite = activations.features.isfinite().all(dim=1)
        if activations.logits is not None:
            finite &= activations.logits.isfinite().all(dim=1)
        if not finite.all():
            image = seen.name_of(self._done - len(finite) + int((~finite).nonzero()[0]))
            raise InputError(
                f"the extractor {self._extractor.name} gave NaN or infinite features, first for {image}; check the weights, and the image"
            )
