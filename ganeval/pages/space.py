"""Feature space on a page: maps of both sides, and how precision trades with recall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from ganeval.metrics.prd import NUM_CLUSTERS, prd
from ganeval.metrics.principal import principal
from ganeval.pages.language import Language
from ganeval.pages.plots import scatter, trade

MAPPED = 500  # points of a side on a map: more would hide each other
CLUSTERED = 2000  # images of a side for the curve
MARGIN = 0.04  # of a map around its points


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    svg: str
    title: str
    text: str


def maps(real: Tensor, fake: Tensor, chosen: Language, *, seed: int) -> Iterator[Plot]:
    """Of features of both sides: principal components, and UMAP where umap-learn is installed."""
    x, y = (_some(side, MAPPED, seed) for side in (real, fake))
    points, shares = principal(torch.cat([x, y]).double())
    values = {"first": f"{100 * shares[0]:.0f}", "second": f"{100 * shares[1]:.0f}"}
    text = chosen.filled("The two directions of largest variance, {first} % and {second} % of all.", values)
    yield _map(points, len(x), chosen.text("Principal components"), text, chosen)
    if find_spec("umap") is not None:
        text = chosen.text("Neighbors stay neighbors; distances between groups mean little (McInnes et al. 2018).")
        yield _map(_umap(torch.cat([x, y]), seed), len(x), "UMAP", text, chosen)


def trade_off(real: Tensor, fake: Tensor, chosen: Language, *, seed: int) -> Plot | None:
    """Precision over recall (Sajjadi et al. 2018); None with too few images for clusters."""
    number = min(len(real), len(fake), CLUSTERED)
    if number < NUM_CLUSTERS:
        return None
    found = prd(_some(real, number, seed), _some(fake, number, seed), seed=seed)
    values = {"clusters": NUM_CLUSTERS, "precise": f"{found.f(1 / 8):.3f}", "whole": f"{found.f(8):.3f}", "number": number}
    text = chosen.filled(
        "{number:,} images of each side over {clusters} clusters (Sajjadi et al. 2018). F⅛ = {precise} weighs precision, "
        "F₈ = {whole} recall; two draws of one distribution have both near 1.",
        values,
    )
    title = chosen.text("Precision against recall")
    keep = slice(None, None, max(1, len(found.recall) // 250))
    names = (chosen.text("recall: how much of the reals is made"), chosen.text("precision: how much of the fakes is real"))
    svg = trade(found.recall[keep].tolist(), found.precision[keep].tolist(), names=names, label=f"{title}. {text}")
    return Plot(svg=svg, title=title, text=text)


def _map(points: Tensor, num_real: int, title: str, text: str, chosen: Language) -> Plot:
    label = chosen.filled(
        "Map of {real} reals and {fake} fakes: {title}", {"real": num_real, "fake": len(points) - num_real, "title": title}
    )
    low, high = points.amin(dim=0), points.amax(dim=0)
    scaled = (points - low) / (high - low).clamp(min=1e-12) * (1 - 2 * MARGIN) + MARGIN
    return Plot(svg=scatter(scaled[:num_real], scaled[num_real:], label=label), title=title, text=text)


def _umap(features: Tensor, seed: int) -> Tensor:
    from umap import UMAP

    return torch.from_numpy(np.asarray(UMAP(random_state=seed, n_jobs=1).fit_transform(features.double().numpy())))


def _some(features: Tensor, number: int, seed: int) -> Tensor:
    """As many rows at most, drawn by chance."""
    if len(features) <= number:
        return features
    return features[torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))[:number]]
