"""The peers, each called as its own users call it, on a folder of pictures of one size and a file of weights.

All get the same weights file, in the format of the public one. clean-fid wants TorchScript: it gets pytorch-fid's network with those
weights, so that no code of ours is inside any peer. FIDs are the peers' own functions on the peers' own features.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import scipy.linalg
import torch
from PIL import Image
from torch import Tensor, nn

from ganeval.conventions import CONVENTIONS
from ganeval.extract import regrouped
from ganeval.extractors.inception import load
from ganeval.forward import inference
from ganeval.images import Seen, open_images
from ganeval.weights import INCEPTION

Features = np.ndarray[Any, np.dtype[Any]]  # [num_images, 2048]
BATCH_SIZE = 16


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One tool in one of its modes, and the convention of ours that claims to equal it."""

    name: str
    convention: str
    features: Callable[[Path, Path], Features]  # (folder, weights)
    distance: Callable[[Features, Features], float]


def ganeval_features(folder: Path, weights: Path, convention: str) -> Features:
    """Our features of each picture of a folder."""
    extractor = load(convention=CONVENTIONS[convention], weights_file=weights, device=torch.device("cpu"))
    with inference(extractor, torch.device("cpu")):
        batches = regrouped(open_images(folder).batches(Seen(), batch_size=BATCH_SIZE), BATCH_SIZE)
        return torch.cat([extractor(images).features for images in batches]).numpy()


# ------------------------------------------------------------------ pytorch-fid


@contextmanager
def _hub(weights: Path) -> Iterator[None]:
    """A torch hub in which `weights` stands for the file that pytorch-fid would download (it checks no digest)."""
    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Path(folder, "checkpoints")
        checkpoints.mkdir()
        (checkpoints / INCEPTION.filename).symlink_to(weights.resolve())
        torch.hub.set_dir(folder)
        try:
            yield
        finally:
            torch.hub.set_dir(before)


@lru_cache(maxsize=2)
def pytorch_fid_network(weights: Path, *, bare: bool = False) -> nn.Module:
    """As pytorch-fid makes it; `bare` is without its resizing and scaling, for inputs that are ready."""
    from pytorch_fid.inception import InceptionV3

    with _hub(weights):
        network: nn.Module = InceptionV3([3], resize_input=not bare, normalize_input=not bare, requires_grad=False).eval()
    return network


@lru_cache(maxsize=4)
def _pytorch_fid_features(folder: Path, weights: Path) -> Features:
    from pytorch_fid.fid_score import get_activations

    files = sorted(folder.glob("*.png"))
    features: Features = get_activations(files, pytorch_fid_network(weights), BATCH_SIZE, 2048, "cpu", num_workers=0)
    return features


def _pytorch_fid_distance(real: Features, fake: Features) -> float:
    from pytorch_fid.fid_score import calculate_frechet_distance

    stats = [statistic for x in (real, fake) for statistic in (x.mean(axis=0), np.cov(x, rowvar=False))]
    return float(sqrtm_distance(calculate_frechet_distance, stats))


def sqrtm_distance(function: Callable[..., Any], stats: list[Features]) -> float:
    """`function(mean, covariance, mean, covariance)`; where it breaks on a SciPy without `sqrtm(disp=…)`, what stands below it there."""
    try:
        return float(function(*stats))
    except TypeError as error:
        if "disp" not in str(error):
            raise
        warnings.warn(f"{function.__module__} does not run on SciPy {scipy.__version__}; called below its sqrtm", stacklevel=2)
        first, sigma1, second, sigma2 = stats
        root = np.asarray(scipy.linalg.sqrtm(sigma1 @ sigma2)).real
        return float(((first - second) ** 2).sum() + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(root))


# ------------------------------------------------------------------ torch-fidelity


@lru_cache(maxsize=4)
def _torch_fidelity_features(folder: Path, weights: Path) -> Features:
    from torch_fidelity.utils import create_feature_extractor, extract_featuresdict_from_input_id

    options = {
        "feature_extractor_weights_path": str(weights),
        "batch_size": BATCH_SIZE,
        "cuda": False,
        "verbose": False,
        "save_cpu_ram": True,
        "input1": str(folder),
    }
    extractor = create_feature_extractor("inception-v3-compat", ["2048"], **options)
    features: Tensor = extract_featuresdict_from_input_id(1, extractor, **options)["2048"]
    return features.numpy()


def _torch_fidelity_distance(real: Features, fake: Features) -> float:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    stats = [fid_features_to_statistics(torch.from_numpy(x)) for x in (real, fake)]
    return float(fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"])


def torch_fidelity_inception_score(folder: Path, weights: Path) -> tuple[float, float]:
    """Mean and spread, by `torch_fidelity.calculate_metrics` with its defaults."""
    import torch_fidelity

    result = torch_fidelity.calculate_metrics(
        input1=str(folder),
        isc=True,
        feature_extractor_weights_path=str(weights),
        batch_size=BATCH_SIZE,
        cuda=False,
        cache=False,
        verbose=False,
    )
    return result["inception_score_mean"], result["inception_score_std"]


# ------------------------------------------------------------------ torchmetrics


@lru_cache(maxsize=2)
def _torchmetrics_fid(weights: Path, antialias: bool) -> Any:
    from torchmetrics.image.fid import FrechetInceptionDistance

    return FrechetInceptionDistance(feature=2048, feature_extractor_weights_path=str(weights), antialias=antialias)


@lru_cache(maxsize=4)
def _torchmetrics_features(folder: Path, weights: Path, *, antialias: bool) -> Features:
    metric = _torchmetrics_fid(weights, antialias)
    with torch.no_grad():
        return torch.cat([metric.inception(images).reshape(len(images), -1) for images in _tensor(folder).split(BATCH_SIZE)]).numpy()


def _torchmetrics_distance(real: Features, fake: Features) -> float:
    """Its running sums and its `compute`, over the features it made."""
    from torchmetrics.image.fid import _compute_fid

    stats = []
    for x in (real, fake):
        features = torch.from_numpy(x).double()
        mean = features.mean(dim=0)
        stats += [mean, (features.T @ features - len(features) * torch.outer(mean, mean)) / (len(features) - 1)]
    return float(_compute_fid(*stats))


# ------------------------------------------------------------------ clean-fid


class _WithLayers(nn.Module):
    """A module whose attribute `layers` is the network after resize and normalization, as NVIDIA's TorchScript has it."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.layers(x)
        return features


class _Last(nn.Module):
    def __init__(self, blocks: nn.ModuleList) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.blocks(x)
        return features.flatten(1)


@lru_cache(maxsize=1)
def _clean_fid_network(weights: Path) -> nn.Module:
    from cleanfid.inception_torchscript import InceptionV3W

    with tempfile.TemporaryDirectory() as folder:
        save_clean_fid_network(weights, Path(folder))
        network: nn.Module = InceptionV3W(folder, download=False, resize_inside=False).eval()
    return network


def save_clean_fid_network(weights: Path, folder: Path) -> None:
    """The TorchScript that clean-fid looks for in `folder`."""
    blocks = pytorch_fid_network(weights).blocks
    assert isinstance(blocks, nn.ModuleList)
    with torch.no_grad():
        torch.jit.trace(_WithLayers(_Last(blocks)), torch.zeros(2, 3, 299, 299)).save(str(folder / "inception-2015-12-05.pt"))


@lru_cache(maxsize=4)
def _clean_fid_features(folder: Path, weights: Path) -> Features:
    from cleanfid.fid import get_folder_features

    features: Features = get_folder_features(
        str(folder),
        _clean_fid_network(weights),
        num_workers=0,
        batch_size=BATCH_SIZE,
        device=torch.device("cpu"),
        mode="clean",
        verbose=False,
    )
    return features


def _clean_fid_distance(real: Features, fake: Features) -> float:
    from cleanfid.fid import frechet_distance

    stats = [statistic for x in (real, fake) for statistic in (np.mean(x, axis=0), np.cov(x, rowvar=False))]
    return sqrtm_distance(frechet_distance, stats)


def _tensor(folder: Path) -> Tensor:
    return torch.stack([torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) for file in sorted(folder.glob("*.png"))])


PEERS = (
    Peer(name="pytorch-fid", convention="pytorch-fid", features=_pytorch_fid_features, distance=_pytorch_fid_distance),
    Peer(name="torch-fidelity", convention="ttur", features=_torch_fidelity_features, distance=_torch_fidelity_distance),
    Peer(name="clean-fid (clean)", convention="clean-fid", features=_clean_fid_features, distance=_clean_fid_distance),
    Peer(
        name="torchmetrics (antialias)",
        convention="torchmetrics",
        features=partial(_torchmetrics_features, antialias=True),
        distance=_torchmetrics_distance,
    ),
    Peer(
        name="torchmetrics (no antialias)",
        convention="ttur",
        features=partial(_torchmetrics_features, antialias=False),
        distance=_torchmetrics_distance,
    ),
)
