"""Cache: what networks made of image files is kept, so that the same files are not worked through again.

Content-addressed: an entry is found by the sha256 of the files' bytes and by all that moves a feature beside them, so it cannot be out
of date. An index of which bytes an unchanged file has saves reading it. See `recipe`, `contents`, `index`, `entry` and `store`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial

import torch

from ganeval.cache.contents import Noting, looked_up
from ganeval.cache.entry import Entry, answerable
from ganeval.cache.recipe import Address, recipe
from ganeval.cache.store import Store
from ganeval.conventions import Convention
from ganeval.extractors.protocol import FeatureExtractor, identity_of
from ganeval.images import ImageSource, Seen
from ganeval.images.origin import Origin
from ganeval.images.seen import SeenBefore
from ganeval.measured import Measured, Need
from ganeval.progress import Progress, silent

Networks = Mapping[str, FeatureExtractor]
Measuring = Callable[..., tuple[dict[str, Measured], Seen]]


def cached(measure: Measuring, convention: Convention) -> Measuring:
    """`measure` (of `extract`, or what takes its place) for those networks only that have not seen these files yet; the same result.

    All networks run where nothing can be kept: images from memory, pairs, one of several processes, a network that does not state its
    weights. What networks are to leave and cannot is an error as ever.
    """

    def measure_or_recall(
        source: ImageSource,
        extractors: Networks,
        *,
        needs: Mapping[str, Collection[Need]],
        device: torch.device,
        batch_size: int = 32,
        skip_bad: bool = False,
        progress: Progress = silent,
        label: str = "images",
        pairing: object = None,
        lenient: bool = False,
    ) -> tuple[dict[str, Measured], Seen]:
        run = partial(
            measure,
            device=device,
            batch_size=batch_size,
            skip_bad=skip_bad,
            progress=progress,
            label=label,
            pairing=pairing,
            lenient=lenient,
        )
        store, origin = Store(), _origin(source)
        stated = {name: extractor for name, extractor in extractors.items() if identity_of(extractor).weights_sha256 is not None}
        if not stated or origin is None or pairing is not None or store.bound == 0:
            return run(source, extractors, needs=needs)
        addresses = {
            name: Address(recipe(extractor, convention, device=device, batch_size=batch_size, skip_bad=skip_bad), source.kind, origin)
            for name, extractor in stated.items()
        }

        found: dict[str, Entry] = {}
        digests: list[str] | None = None
        if store.may_hold(address.signature for address in addresses.values()):
            with progress(f"{label} (kept from an earlier run)", source.num_images, "images") as advance:
                digests = looked_up(origin, store)
                for name, address in addresses.items():
                    entry = store.read(address.signature, address.key(digests), needs[name]) if digests else None
                    if entry is not None and answerable(entry, needs[name], lenient=lenient):
                        found[name] = entry
                advance(source.num_images or 0)
        recalled = {name: entry.measured(needs[name]) for name, entry in found.items()}
        missing = {name: extractor for name, extractor in extractors.items() if name not in found}
        if not missing:
            one = next(iter(found.values()))
            return recalled, SeenBefore(one.seen, one.glance, one.classes)

        with Noting(source, origin) as noting:
            measured, seen = run(noting.source, missing, needs={name: needs[name] for name in missing})
            noted = noting.digests()
        if found and noted != digests:  # the files changed between looking them up and reading them
            return run(source, extractors, needs=needs)
        if noted is not None:
            kept = [name for name in missing if name in addresses and not measured[name].halved]  # else it depends on this machine's memory
            made = {name: Entry.of(name, measured[name], seen, needs[name]) for name in kept}
            store.keep(origin, noted, {(addresses[name].signature, addresses[name].key(noted)): entry for name, entry in made.items()})
        return {name: recalled[name] if name in recalled else measured[name] for name in extractors}, seen

    return measure_or_recall


def _origin(source: ImageSource) -> Origin | None:
    """The files behind a source, if they are as they were when it was opened; None where nothing of it can be kept."""
    several = os.environ.get("WORLD_SIZE", "1") not in ("", "1")  # torchrun
    origin: Origin | None = getattr(source, "origin", None)
    return origin if origin is not None and not several and origin.unchanged() else None
