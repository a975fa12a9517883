"""Rows of benchmarks/speed.py: the real side again, from what an earlier run kept, against the same side worked through."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from draw_pictures import drawn_picture
from ganeval import Activations, Evaluator
from ganeval.conventions import CONVENTIONS
from ganeval.extractors import load_extractor
from ganeval.extractors.protocol import FeatureExtractor, TwoStage, identity_of
from ganeval.images.origin import CLOCK_NS
from in_turn import Compared, Run, in_turn, measured
from pictures import pictures, save_all
from speed_setup import Row, Setup


class Counted:
    """An extractor, and how often its network is called."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        assert isinstance(extractor, TwoStage)
        self.name, self.dim, self.identity = extractor.name, extractor.dim, identity_of(extractor)
        self.prepare = extractor.prepare
        self.calls = 0
        self._extractor = extractor

    def __call__(self, images: torch.Tensor) -> Activations:
        return self.network(self.prepare(images))

    def network(self, inputs: torch.Tensor) -> Activations:
        self.calls += 1
        return self._extractor.network(inputs)


@contextmanager
def home(folder: Path) -> Iterator[None]:
    """ganeval's folder is `folder`."""
    before = {name: os.environ.pop(name, None) for name in ("GANEVAL_HOME", "GANEVAL_CACHE_SIZE")}
    os.environ["GANEVAL_HOME"] = str(folder)
    try:
        yield
    finally:
        del os.environ["GANEVAL_HOME"]
        os.environ.update({name: value for name, value in before.items() if value is not None})


def again(what: str, network: str, num: int) -> Row:
    """`num` pictures of 32×32 through `network`: cold, storing what it finds, and from what was stored."""

    def row(setup: Setup) -> list[Compared]:
        source = setup.folder / f"again-{num}"
        found = pictures(num, (32, 32)) if num < 1000 else [drawn_picture(seed, width=32, height=32) for seed in range(num)]
        save_all(found, source)
        time.sleep(CLOCK_NS / 1e9)  # as a set that was not made just now
        weights = setup.weights if network == "inception" else None
        device = torch.device("cpu")
        extractor = Counted(load_extractor(network, convention=CONVENTIONS["ttur"], weights_file=weights, device=device))

        def real_side(*, cold: bool) -> Run:
            kept = setup.folder / f"home-{network}"
            if cold:
                shutil.rmtree(kept, ignore_errors=True)
            before = extractor.calls
            with home(kept):
                run = measured(lambda: Evaluator(source, extractor=extractor, device=device).reference.stats.mean)
            assert cold == (extractor.calls > before), "from what is kept no network runs"
            return run

        real_side(cold=True)
        return in_turn(
            f"{what} again, no call of the network",
            lambda: real_side(cold=False),
            {"itself, cold": lambda: real_side(cold=True)},
            targets={"itself, cold": 20},
            rounds=setup.rounds,
        )

    return row


def storing(setup: Setup) -> list[Compared]:
    """What storing costs a cold run: the same side with and without the cache."""
    source = save_all(pictures(512, (32, 32)), setup.folder / "storing")
    extractor = load_extractor("tiny", convention=CONVENTIONS["ttur"], weights_file=None, device=torch.device("cpu"))

    def real_side(*, cache: bool) -> Run:
        kept = setup.folder / "home-storing"
        shutil.rmtree(kept, ignore_errors=True)
        with home(kept):
            return measured(lambda: Evaluator(source, extractor=extractor, device="cpu", cache=cache).reference.stats.mean)

    return in_turn(
        "cold real side, storing, 512 × tiny",
        lambda: real_side(cache=True),
        {"itself, --no-cache": lambda: real_side(cache=False)},
        rounds=3 * setup.rounds,
        warm=True,
    )


ROWS: dict[str, Row] = {
    "cache": again("real side of 512, inception,", "inception", 512),
    "cache-many": again("real side of 5,000, tiny,", "tiny", 5_000),
    "cache-storing": storing,
}
