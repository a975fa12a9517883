"""The network of a streaming score, loaded once for the device where the images are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from ganeval.conventions import Convention
from ganeval.errors import InputError
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor, identity_of

TAPS = {64: "inception-64", 192: "inception-192", 768: "inception-768", 2048: "inception"}  # torchmetrics' `feature`


class Network:
    """An extractor by name, or an object of somebody's own. No module: what it holds is nobody's to train, to move or to save.

    Raises:
        InputError: no such extractor, or no weights for it; now and not after an epoch.
    """

    def __init__(
        self, chosen: int | str | FeatureExtractor, *, convention: Convention, weights: str | os.PathLike[str] | None, device: torch.device
    ) -> None:
        if isinstance(chosen, int):
            if chosen not in TAPS:
                raise InputError(f"feature is one of {', '.join(map(str, TAPS))}, got {chosen}; another network is given as extractor=…")
            chosen = TAPS[chosen]
        self.name = chosen if isinstance(chosen, str) else chosen.name
        self._own = None if isinstance(chosen, str) else chosen
        self._convention = convention
        self._weights = None if weights is None else Path(weights)
        self._device = device
        self._loaded = self._load()

    def on(self, device: torch.device) -> FeatureExtractor:
        """Ready for images on that device."""
        if device != self._device:
            self._device = device
            self._loaded = self._load()
        return self._loaded

    @property
    def made_with(self) -> dict[str, str | None]:
        """What two states must share to be added."""
        identity = identity_of(self._loaded)
        return {"extractor": self.name, "preprocessing": identity.preprocessing, "weights": identity.weights_sha256}

    def check_same(self, made_with: Mapping[str, str | None]) -> None:
        """Raise an InputError if a state was made with something else."""
        if made_with != self.made_with:
            raise InputError(f"a state made with {_words(made_with)} cannot go on with {_words(self.made_with)}; use the same")

    def _load(self) -> FeatureExtractor:
        if self._own is not None:
            return self._own
        return load_extractor(self.name, convention=self._convention, weights_file=self._weights, device=self._device)


def _words(made_with: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {value}" for name, value in made_with.items() if value is not None)
