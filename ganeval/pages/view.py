"""View: one side of a comparison as a page shows it: its pictures, and features of as many of them as a sample holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from ganeval.images import ImageSource
from ganeval.images.chosen import Chosen, can_be_chosen, chosen
from ganeval.images.inline import LONGEST, Inline, inline
from ganeval.measured import Measured, sampled
from ganeval.metrics import Label
from ganeval.side import Side
from ganeval.stats import FeatureStats


class Tile:
    """A picture on a page, with what is said of it."""

    def __init__(self, one: Chosen, what: str = "", *, longest: int = LONGEST) -> None:
        self.picture: Inline = inline(one.image, longest=longest)
        self.name = one.name
        self.what = what


class View:
    """Of one side, through one network; with `None` for a network, of its pictures alone."""

    def __init__(self, side: Side, network: str | None) -> None:
        self._side = side
        self._measured: Measured | None = None if network is None else side.measured.get(network)

    @property
    def source(self) -> ImageSource | None:
        """Where its pictures can be looked at again; None of stats, and of what is drawn anew at each pass."""
        source = self._side.source
        return source if source is not None and can_be_chosen(source) else None

    @property
    def count(self) -> int:
        return self._side.count or 0

    @cached_property
    def features(self) -> Tensor | None:
        """float [num, dim] of the images at `positions`; None where none were kept."""
        found = self._measured
        if found is None or self._side.reference is not None:
            return None
        if found.features is None:
            return None if found.sample is None else found.sample.clone()  # made in inference mode: a copy may be used anywhere
        return found.features[sampled(self.count, found.features.shape[1])].clone()

    @cached_property
    def positions(self) -> Tensor:
        """int64 [num], which images of the side the features are of: all, or a sample drawn by chance."""
        assert self.features is not None
        return sampled(self.count, self.features.shape[1])

    @property
    def stats(self) -> FeatureStats | None:
        """Of all images."""
        if self._measured is None or self._measured.stats is not None or self.features is None:
            return None if self._measured is None else self._measured.stats
        return FeatureStats.of(self.features)

    def pictures(self, positions: Sequence[int]) -> dict[int, Chosen]:
        """The images at these positions of the source."""
        assert self.source is not None
        return chosen(self.source, positions, num_skipped=self._side.provenance["num_skipped"])

    def of_rows(self, rows: Sequence[int]) -> dict[int, Chosen]:
        """The images whose features are these rows, by row."""
        of_row = {row: int(self.positions[row]) for row in rows}
        found = self.pictures(list(of_row.values()))
        return {row: found[position] for row, position in of_row.items()}

    def some(self, number: int, *, seed: int) -> list[int]:
        """Positions drawn by chance, in order."""
        rng = torch.Generator().manual_seed(seed)
        return sorted(torch.randperm(self.count, generator=rng)[:number].tolist())


def views(sides: Mapping[Label, Side], network: str | None) -> dict[Label, View]:
    """Of "real" and "fake", as far as they are there."""
    both: tuple[Label, Label] = ("real", "fake")
    return {label: View(sides[label], network) for label in both if label in sides}
