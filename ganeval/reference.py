"""Reference: stats of a set and where they come from, in one .npz that pytorch-fid and TTUR tools read too, as we read theirs."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch

from ganeval.errors import InputError, reason
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.files import check_folder, sha256_of, written_at_once
from ganeval.npz import arrays
from ganeval.shape import NAME, check_shape
from ganeval.shards import check_complete, in_words
from ganeval.stats import FeatureStats
from ganeval.zips import is_zip, opened_zip

FORMAT = 1  # of the "ganeval" entry in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Stats, and what they were made with; `made_with` is None for files of other tools, which do not say."""

    stats: FeatureStats
    made_with: Mapping[str, Any] | None  # extractor, convention, preprocessing, weights_sha256, images, versions
    sha256: str | None = None  # of the file it was read from
    where: str = "the stats"
    assumed: str | None = field(default=None)  # the convention that an index states for a file that does not

    @property
    def shard(self) -> Mapping[str, Any] | None:
        """Which part of a set these stats are of, as `shard_of` says it; None of a whole one."""
        return None if self.made_with is None else self.made_with["images"].get("shard")

    def check_network(self, name: str) -> None:
        """Refuse another network than the one these stats are of.

        Raises:
            InputError: naming both.
        """
        own = "inception" if self.made_with is None else self.made_with["extractor"]
        if name != own:
            raise InputError(f"{self.where} holds stats of {own} features, not of {name}")

    def check(self, extractor: FeatureExtractor, convention: str) -> None:
        """Refuse to compare features of different networks or preprocessing, or with a part of a set.

        Raises:
            InputError: naming both.
        """
        if self.shard is not None:
            raise InputError(f"{self.where} is of {in_words(self.shard)}; merge all of them first: ganeval stats merge")
        identity = identity_of(extractor)
        if self.stats.dim != extractor.dim:
            raise InputError(
                f"{self.where} holds stats of {self.stats.dim} features, but the extractor {extractor.name} has {extractor.dim}; "
                "use the extractor they were made with"
            )
        if self.made_with is None:
            if extractor.name != "inception":
                raise InputError(f"{self.where} does not say which network it is of, so only inception is allowed, not {extractor.name}")
            if self.assumed is not None and self.assumed != convention:
                raise InputError(
                    f"{self.where} was made with the convention {self.assumed}, not {convention}; add --convention {self.assumed}"
                )
            return
        ours = {"extractor": extractor.name, "preprocessing": identity.preprocessing, "weights_sha256": identity.weights_sha256}
        for what, mine in ours.items():
            theirs = self.made_with[what]
            if theirs != mine:
                hint = f" (convention {self.made_with['convention']} against {convention})" if what == "preprocessing" else ""
                raise InputError(
                    f"{self.where} was made with {what.replace('_', ' ')} {theirs}, this run uses {mine}{hint}; "
                    "make both with the same, or compute the stats again"
                )

    def provenance(self) -> dict[str, Any]:
        """JSON-able, for the report."""
        images = None if self.made_with is None else self.made_with["images"]
        return {"count": self.stats.count, "reference_sha256": self.sha256, "images": images}

    def save(self, path: Path) -> None:
        """Write `path` at once or not at all.

        Raises:
            InputError: fewer than two images, or a name that does not end in .npz.
        """
        check_target(path)
        arrays: dict[str, Any] = {"mu": self.stats.mean.numpy(), "sigma": self.stats.covariance.numpy()}
        if self.made_with is not None:
            about = {"format": FORMAT, "count": self.stats.count, **self.made_with}
            arrays["ganeval"] = np.array(json.dumps(about, ensure_ascii=False))
        with written_at_once(path) as file:
            np.savez_compressed(file, **arrays)


def check_target(path: Path) -> None:
    """Refuse a file that stats cannot be saved to, before they are computed.

    Raises:
        InputError: a name that does not end in .npz.
        OSError: a folder that is not there or not writable.
    """
    if path.suffix != ".npz":
        raise InputError(f"stats are saved as .npz, got {path}")
    check_folder(path)


def holds_stats(path: Path) -> bool:
    """Whether an .npz holds `mu` and `sigma`; False for any other file."""
    if path.suffix != ".npz" or not path.is_file() or not is_zip(path):
        return False
    with opened_zip(path) as archive:
        return {"mu.npy", "sigma.npy"} <= set(archive.namelist())


def load_reference(path: Path, *, assumed: str | None = None) -> Reference:
    """Stats of ours, of pytorch-fid, TTUR, clean-fid, EDM (`mu`, `sigma`) or ADM (the same beside others).

    Args:
        assumed: the convention of a file that does not say, where it is known from elsewhere.

    Raises:
        InputError: not such a file, or its arrays are no mean and covariance.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if path.suffix == ".npz" and path.is_file() and not is_zip(path):
        raise InputError(f"{path} is no .npz, or only a part of one; make or download it again")
    if not holds_stats(path):
        raise InputError(f"{path} is not a file of stats: expected an .npz with `mu` and `sigma`")
    try:
        file = arrays(path, ("mu", "sigma", "ganeval"))
        mean, covariance = file["mu"], file["sigma"]
        about = json.loads(str(file["ganeval"])) if "ganeval" in file else None
        if about is not None:
            _check_about(about)
    except (OSError, ValueError, KeyError, EOFError, RecursionError, NotImplementedError, zlib.error, BadZipFile) as error:
        raise InputError(f"{path} is damaged: {reason(error)}; make or download it again") from None
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)) or mean.dtype.kind != "f" or covariance.dtype.kind != "f":
        raise InputError(f"{path} holds mu {list(mean.shape)} and sigma {list(covariance.shape)}; expected [dim] and [dim, dim]")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise InputError(f"{path} holds NaN or infinite stats; make it again")
    if not np.allclose(covariance, covariance.T, rtol=1e-3, atol=1e-6 * max(1e-300, abs(covariance).max())):
        raise InputError(f"{path} holds a sigma that is not symmetric, so it is no covariance; make it again")
    count = None if about is None else int(about.pop("count"))
    if about is not None and about.pop("format") > FORMAT:
        raise InputError(f"{path} was written by a newer ganeval; update this one")
    sigma = torch.from_numpy(covariance.astype(np.float64))
    stats = FeatureStats(count, torch.from_numpy(mean.astype(np.float64)), sigma if count is None else sigma * (count - 1))
    return Reference(stats=stats, made_with=about, sha256=sha256_of(path), where=str(path), assumed=assumed)


SHARD = {"index": int, "count": int, "start": int, "stop": int, "num_images": int, "listing_sha256": str}
ABOUT = {
    "format": int,
    "count": int,
    "extractor": str,
    "convention": str,
    "preprocessing": str,
    "weights_sha256": NAME,
    "images": {"shard?": SHARD},
}


def _check_about(about: Any) -> None:
    """Raise a ValueError where it is not what `save` writes."""
    check_shape(about, ABOUT, "what it says of itself")
    if not 2 <= about["count"] < 2**53:
        raise ValueError(f"it says that it is of {about['count']} images")


def merged(references: Sequence[Reference]) -> Reference:
    """The stats of all sets together.

    Raises:
        InputError: they were made with different networks or preprocessing, one does not say how many images it has, or two are
            of the same images; or shards that are not all of one set.
    """
    first = references[0]
    seen: dict[str, str] = {}
    for other in references:
        if other.made_with is None or first.made_with is None:
            unknown = other if other.made_with is None else first
            raise InputError(f"{unknown.where} does not say how many images it is of, so it cannot be merged; compute it again")
        for what in ("extractor", "preprocessing", "weights_sha256"):
            if other.made_with[what] != first.made_with[what]:
                raise InputError(
                    f"{first.where} was made with {what.replace('_', ' ')} {first.made_with[what]}, "
                    f"{other.where} with {other.made_with[what]}; they cannot be merged"
                )
        pixels = other.made_with["images"].get("pixels_sha256")
        if pixels in seen and other.shard is None:
            raise InputError(f"{seen[pixels]} and {other.where} are of the same images, which would count twice; leave one out")
        if pixels is not None:
            seen[pixels] = other.where
    check_complete([(other.where, other.shard) for other in references])
    if first.shard is not None:
        references = sorted(references, key=_index)
    stats = references[0].stats
    for other in references[1:]:
        stats = stats + other.stats
    assert first.made_with is not None
    images: dict[str, Any] = {"count": stats.count}
    if first.shard is not None:
        images["shards"] = f"all {first.shard['count']} of {first.shard['num_images']:,} images"
    images["parts"] = [other.made_with["images"] for other in references if other.made_with is not None]
    return Reference(stats=stats, made_with={**first.made_with, "images": images})


def _index(reference: Reference) -> int:
    return 0 if reference.shard is None else int(reference.shard["index"])
