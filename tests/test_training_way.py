"""The two sides of the row dcgan-training do the same: the fast step is held to the plain loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from ganeval_models.dcgan import DCGAN
from training_way import WAYS, Task

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS = 5


@pytest.mark.parametrize("preset", ["article", "quick"])
@pytest.mark.parametrize("way", ["article", "detach", "eager"])
def test_losses_are_those_of_the_plain_loop(preset: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow: dict[str, Any] = {"g_width": 4, "d_width": 4}
    small = {name: replace(one, config=replace(one.config, **narrow)) for name, one in DCGAN.presets.items()}
    monkeypatch.setattr(DCGAN, "presets", small)
    images = torch.randint(0, 256, (40, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    task = Task(preset=preset, batch_size=16)
    found = [WAYS[name](task, images)(STEPS) for name in ("ganeval", way)]
    assert len(found[0]) == STEPS
    # float32 rounding of 1e-7, through sums of some thousands and five updates by Adam
    torch.testing.assert_close(torch.tensor(found[0]), torch.tensor(found[1]), rtol=1e-4, atol=0)


def test_losses_of_two_domains_are_those_of_the_eager_loop() -> None:
    # Two steps: Adam moves biases before an instance normalization, which have no gradient but rounding, by full steps from the first on.
    images = torch.randint(0, 256, (12, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    task = Task(model="cyclegan", preset="quick", batch_size=2)
    found = [WAYS[name](task, images)(2) for name in ("ganeval", "eager")]
    torch.testing.assert_close(torch.tensor(found[0]), torch.tensor(found[1]), rtol=1e-4, atol=0)
