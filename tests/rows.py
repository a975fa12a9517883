"""Every row of METRICS that is scored on features or logits, called as the evaluator calls it; and sets that strain it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import Tensor

from features import normal
from ganeval import FeatureStats
from ganeval.conventions import CONVENTIONS, DEFAULT
from ganeval.measured import Measured, Vectors
from ganeval.metrics import METRICS, Settings
from ganeval.metrics.metric import Sets
from ganeval.report import Score

ROWS = [name for name, row in METRICS.items() if not row.paired]
FRECHET = {"fid", "sfid", "fd_dinov2", "fd_clip", "intra_fid", "mifid"}  # squared lengths, never negative
OF_LOGITS = {"is", "is_infinity", "intra_is"}
SHARES = {"precision", "recall", "prdc_precision", "prdc_recall", "coverage"}


def scored(name: str, real: Tensor, held_out: Tensor, fake: Tensor, *, num_subsets: int = 3, subset_size: int = 30) -> Score:
    """Features serve as spatial features, or as logits; every second image is of class "b". Classes are scored in their mean."""
    chosen = Settings(convention=CONVENTIONS[DEFAULT], num_subsets=num_subsets, subset_size=subset_size, num_splits=2)
    of_real, of_fake, of_held_out = (
        Measured(logits=one, classes=classes_of(one)) if name in OF_LOGITS else measured(one) for one in (real, fake, held_out)
    )
    return METRICS[name].score(Sets(of_real, of_fake, of_held_out), chosen, True)[""]


def measured(x: Tensor) -> Measured:
    stats = FeatureStats.of(x)
    return Measured(stats=stats, features=x, sample=x, spatial=Vectors(stats=stats, features=x, sample=x), classes=classes_of(x))


def classes_of(x: Tensor) -> tuple[str, ...]:
    return tuple("ab"[index % 2] for index in range(len(x)))


def of_rank(rank: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x[:, :rank] @ normal(rank, x.shape[1], 7)[: x[:, :rank].shape[1]]


ODD: dict[str, Callable[[Tensor], Tensor]] = {
    "as drawn": lambda x: x,
    "constant features": lambda x: x.index_fill(1, torch.tensor([0]), 3.0),
    "all constant": lambda x: torch.full_like(x, 0.3),
    "all zero": torch.zeros_like,
    "all but one constant": lambda x: torch.cat([x[:1], torch.full_like(x[1:], 0.1)]),
    "constant to rounding": lambda x: 0.3 + 1e-16 * x,
    "two points": lambda x: x[:2].repeat(len(x) // 2, 1),
    "ten points": lambda x: x[:10].repeat(len(x) // 10, 1),
    "of rank 1": of_rank(1),
    "of rank 2": of_rank(2),
    "one direction of 1e8": lambda x: x * torch.ones(x.shape[1], dtype=x.dtype).index_fill(0, torch.tensor([1]), 1e8),
    "one direction of 1e30, others 1e-30": lambda x: (
        x * torch.full((x.shape[1],), 1e-30, dtype=x.dtype).index_fill(0, torch.tensor([1]), 1e30)
    ),
    "far from zero": lambda x: x + 1e8,
    "very far": lambda x: x + 1e15,
    "zeros and ones": lambda x: (x > 0).double(),
    "heavy tails": lambda x: x**9,
}


@st.composite
def odd_sets(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    """(real, held-out, fake): of any scale in the range of float32, each side odd in its own way or all in one, or equal."""
    dim, seed = draw(st.sampled_from([2, 3, 8])), draw(st.integers(0, 1000))
    one_way = draw(st.booleans())
    ways = [draw(st.sampled_from(sorted(ODD)))] * 3 if one_way else [draw(st.sampled_from(sorted(ODD))) for _ in range(3)]
    scales = [10.0 ** draw(st.sampled_from([0, -44, -30, -15, -3, 3, 15, 29]))] * 3
    if draw(st.booleans()):
        scales[draw(st.integers(0, 2))] = 10.0 ** draw(st.sampled_from([-30, 0, 29]))
    sizes = [draw(st.sampled_from([70, 80])) for _ in range(3)]
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    sides = [ODD[way](normal(num, dim, seed + i)) for i, (way, num) in enumerate(zip(ways, sizes, strict=True))]
    if draw(st.integers(0, 5)) == 0:
        sides = [sides[0]] * 3
    limit = torch.finfo(torch.float32).max / 2
    real, held_out, fake = ((side * scale).clamp(-limit, limit).to(dtype) for side, scale in zip(sides, scales, strict=True))
    return real, held_out, fake
