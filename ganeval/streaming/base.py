"""What scores that are fed batch by batch share: update, reset, merge_state, state_dict, and the sum over processes."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganeval.cache import cached
from ganeval.conventions import DEFAULT, Convention, convention_named
from ganeval.errors import InputError
from ganeval.extract import measure
from ganeval.extractors.protocol import FeatureExtractor
from ganeval.forward import Forward
from ganeval.images import Seen, check_images, unit_to_uint8
from ganeval.machine import chosen_device
from ganeval.measured import Measured, Need
from ganeval.metrics import score_key
from ganeval.processes import added_over_processes
from ganeval.reference import Reference
from ganeval.report import Score
from ganeval.side import opened
from ganeval.streaming.network import Network

Part = Literal["real", "fake"]
PARTS: tuple[Part, ...] = ("real", "fake")
FOLDED = 4096  # images after which what is kept of them is added up


class Streaming(nn.Module):
    """What the scores share. Memory does not grow with the number of images.

    Under torch.distributed each process feeds its own images, and `compute`, which every process calls, is of all of them; a process
    without images takes part like the others. The caller's modes, gradients and random numbers stay as they are.

    Args:
        feature: torchmetrics' name for a tap of Inception: 64, 192, 768 or 2048; or an extractor of one's own.
        extractor: a name (`ganeval extractors` lists them) or an object that follows `FeatureExtractor`, in place of `feature`.
        real: the real side, fixed: anything `open_images` takes, a file of stats or a `Reference`. `update` then takes fakes only.
        normalize: whether images are floats in [0, 1], which become uint8 by rounding, instead of uint8.
        reset_real_features: whether `reset` forgets the reals that `update` was given too.
        convention, weights, batch_size: as for `Evaluator`; torchmetrics' own numbers are those of convention="torchmetrics".
        device: where to compute; None is where the images are.

    Raises:
        InputError: no such extractor, or no weights for it; images in another range than promised; a score without enough images.
    """

    metric: ClassVar[str]  # key of METRICS
    need: ClassVar[Need]  # what is kept of images: of constant size once `_kept` is done with it
    parts: ClassVar[tuple[Part, ...]] = PARTS

    def __init__(
        self,
        feature: int | FeatureExtractor = 2048,
        *,
        extractor: str | FeatureExtractor | None = None,
        real: Any = None,
        normalize: bool = False,
        reset_real_features: bool = True,
        convention: str | Convention = DEFAULT,
        weights: str | os.PathLike[str] | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        self.normalize, self.reset_real_features, self.batch_size = normalize, reset_real_features, batch_size
        self.convention = convention_named(convention)
        self._device = None if device is None else chosen_device(device)
        where = self._device or torch.device("cpu")
        self._network = Network(extractor or feature, convention=self.convention, weights=weights, device=where)
        self._running: dict[Part, tuple[Forward, Seen]] = {}  # what came in since `_parts` were added up
        self._parts: dict[Part, Any] = {}
        self._counts: dict[Part, int] = {"real": 0, "fake": 0}  # images in `_parts`
        self._fixed = None if real is None else self._measured_reals(real)

    @property
    def key(self) -> str:
        """What the score is called: "fid" is of Inception only."""
        return score_key(self.metric, self._network.name)

    def update(self, imgs: Tensor, real: bool = False) -> None:
        """Take images [batch, 3 or 1, height, width], of the reals if `real`.

        Raises:
            InputError: the real side is fixed; or images that are not what `normalize` promises.
        """
        if real and self._fixed is not None:
            raise InputError("the real side was given by real=…; leave real=True out, or make the metric without real=")
        images = check_images(unit_to_uint8(imgs) if self.normalize else imgs)
        part: Part = "real" if real else "fake"
        if part not in self._running:
            device = self._device or images.device
            first = self._counts[part]
            forward = Forward(self._network.on(device), {self.need}, device=device, batch_size=self.batch_size, first=first)
            self._running[part] = forward, Seen(first=first)
        forward, seen = self._running[part]
        seen.count += len(images)
        forward.add(images, seen)
        if seen.count >= FOLDED:
            self._fold(part)

    def forward(self, *args: Any, **options: Any) -> None:
        self.update(*args, **options)

    def score(self) -> Score:
        """The score of all images so far, of all processes; every process calls it.

        Raises:
            InputError: too few images.
        """
        found: list[Any] = []
        for part in self.parts:
            fixed = self._fixed if part == "real" else None
            found.append(added_over_processes(self._told(part)) if fixed is None else fixed)
        for part, state in zip(self.parts, found, strict=True):
            if state is None:
                raise InputError(f"{self.key} has no {part} images yet; give it some by update()")
        return self._score(*found)

    def reset(self) -> None:
        """Forget the images; the reals only with `reset_real_features`, and never those of real=…."""
        for part in PARTS if self.reset_real_features else ("fake",):
            self._forget(part)

    def merge_state(self, incoming_state: Streaming | Mapping[str, Any]) -> None:
        """Add what another one has seen, or the `get_extra_state` of it.

        Raises:
            InputError: it is of another network, preprocessing or weights.
        """
        state = incoming_state.get_extra_state() if isinstance(incoming_state, Streaming) else incoming_state
        self._network.check_same(state["made_with"])
        for part, packed in state["parts"].items():
            self._fold(part)
            self._add(part, self._unpacked(packed["state"]), packed["count"])

    def get_extra_state(self) -> dict[str, Any]:
        """Tensors, numbers and words in dictionaries: what `state_dict` holds, and nothing of the network."""
        for part in PARTS:
            self._fold(part)
        parts = {part: {"count": self._counts[part], "state": asdict(state)} for part, state in self._parts.items()}
        return {"made_with": self._network.made_with, "parts": parts}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        for part in PARTS:
            self._forget(part)
        self.merge_state(state)

    def _told(self, part: Part) -> Any:
        """What this process has to say: its state, or why it has none, which would else be waited for."""
        try:
            self._fold(part)
        except InputError as error:
            return error
        return self._parts.get(part)

    def _fold(self, part: Part) -> None:
        if part in self._running:
            forward, seen = self._running.pop(part)
            self._add(part, self._kept(forward.measured(seen), self._counts[part]), seen.count)

    def _add(self, part: Part, state: Any, count: int) -> None:
        self._parts[part] = state if part not in self._parts else self._parts[part] + state
        self._counts[part] += count

    def _forget(self, part: Part) -> None:
        self._running.pop(part, None)
        self._parts.pop(part, None)
        self._counts[part] = 0

    def _measured_reals(self, real: Any) -> Any:
        source, device = opened(real), self._device or torch.device("cpu")
        network = self._network.on(device)
        if isinstance(source, Reference):
            if self.need != "stats":
                raise InputError(f"{source.where} holds stats, but {self.key} needs the images themselves")
            source.check(network, self.convention.name)
            return Measured(stats=source.stats)
        run = cached(measure, self.convention)
        options: dict[str, Any] = {"needs": {network.name: {self.need}}, "device": device, "batch_size": self.batch_size}
        measured, _ = run(source, {network.name: network}, **options)
        return self._kept(measured[network.name], 0)

    def _kept(self, measured: Measured, first: int) -> Any:
        """The state of so many images, the first of which is number `first`."""
        return measured

    @abstractmethod
    def _score(self, *parts: Any) -> Score:
        """Of the states of `parts`."""

    @abstractmethod
    def _unpacked(self, packed: Mapping[str, Any]) -> Any:
        """The state that `asdict` made this of."""
