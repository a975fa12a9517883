"""Features for tests of metrics: drawn ones, and what each metric says of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganeval import FeatureStats
from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.ct import ct
from ganeval.metrics.fld import fld
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.frechet_error import scored_distance
from ganeval.metrics.infinity import fid_infinity, is_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM, manifold
from ganeval.metrics.mifid import mifid
from ganeval.metrics.vendi import vendi
from ganeval.report import Score

Scoring = Callable[[Tensor, Tensor, Tensor], Score]  # of training, held-out and fake features


def normal(num: int, dim: int, seed: int, *, shift: float = 0.0) -> Tensor:
    """float64 [num, dim]."""
    x: Tensor = torch.randn(num, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift
    return x


def fid(real: Tensor, held_out: Tensor, fake: Tensor) -> Score:
    a, b = FeatureStats.of(real), FeatureStats.of(fake)
    return scored_distance(a, b, fake, value=frechet_distance(a, b))


SCORINGS: dict[str, Scoring] = {
    "fid": fid,
    "kid": lambda real, held_out, fake: kid(real, fake, num_subsets=5, subset_size=40),
    "cmmd": lambda real, held_out, fake: cmmd(real, fake),
    "vendi": lambda real, held_out, fake: vendi(fake),
    "mifid": lambda real, held_out, fake: mifid(real, fake, threshold=1.0),
    "authpct": lambda real, held_out, fake: authpct(real, fake),
    "ct": lambda real, held_out, fake: ct(real, held_out, fake),
    "fld": lambda real, held_out, fake: fld(real, held_out, fake),
    "fid_infinity": lambda real, held_out, fake: fid_infinity(FeatureStats.of(real), fake),
    "is_infinity": lambda real, held_out, fake: is_infinity(fake),
    "precision": lambda real, held_out, fake: manifold(real, fake, KYNKAANNIEMI).precision,
    "recall": lambda real, held_out, fake: manifold(real, fake, KYNKAANNIEMI).recall,
    "density": lambda real, held_out, fake: manifold(real, fake, NAEEM).density,
    "coverage": lambda real, held_out, fake: manifold(real, fake, NAEEM).coverage,
}
DRAWN_BY_POSITION = {"kid", "ct", "fid_infinity", "is_infinity"}  # seeds choose subsets, or first centers, by position
