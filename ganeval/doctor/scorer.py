"""The scorer: the Fréchet distance of two samples as they are, and what becomes of it when the pictures of a side are changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import torch
from torch import Tensor

from ganeval.doctor.sample import Label, Sample
from ganeval.extract import measure
from ganeval.extractors.protocol import FeatureExtractor
from ganeval.images import open_images
from ganeval.measured import Measured
from ganeval.metrics import score_key
from ganeval.metrics.frechet import frechet_distance
from ganeval.progress import Progress, silent

FEWEST = 20  # pictures of a side, of which a distance says something


class Scorer:
    """Measures on the pictures that the samples kept."""

    def __init__(self, samples: Mapping[Label, Sample], extractor: FeatureExtractor, *, device: torch.device, progress: Progress = silent):
        self.key = score_key("fid", extractor.name)
        self.samples = samples
        self._extractor, self._device, self._progress = extractor, device, progress

    @property
    def num_scored(self) -> dict[Label, int]:
        return {label: len(sample.kept) for label, sample in self.samples.items()}

    @cached_property
    def score(self) -> float | None:
        """Of the samples as they are; None of one side, or of too few pictures."""
        if len(self.samples) < 2 or min(self.num_scored.values()) < FEWEST:
            return None
        return self._distance({})

    def shift(self, images: Mapping[Label, Iterable[Tensor]]) -> float | None:
        """The score with other images, uint8 [3, height, width] each, in place of a side's, less the score as it is."""
        score = self.score
        return None if score is None else self._distance({label: self._measured(some) for label, some in images.items()}) - score

    def measured(self, label: Label) -> Measured:
        """Stats and logits of a side as it is."""
        return self._as_they_are[label]

    @cached_property
    def _as_they_are(self) -> dict[Label, Measured]:
        return {label: self._measured(one.image for one in sample.kept if one.image is not None) for label, sample in self.samples.items()}

    def _measured(self, images: Iterable[Tensor]) -> Measured:
        options = {"device": self._device, "progress": self._progress, "label": "measuring", "lenient": True}
        name = self._extractor.name
        source = open_images(image[None] for image in images)
        found, _ = measure(source, {name: self._extractor}, needs={name: {"stats", "logits"}}, **options)  # type: ignore[arg-type]
        return found[name]

    def _distance(self, others: Mapping[Label, Measured]) -> float:
        real, fake = ((others.get(label) or self.measured(label)).stats for label in ("real", "fake"))
        assert real is not None
        assert fake is not None
        return frechet_distance(real, fake)
