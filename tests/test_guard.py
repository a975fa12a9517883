"""Diversity, the collapse guard, the time budget, the probe, and the figures of paired pictures."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganeval.errors import InputError
from ganeval.metrics import paired
from ganeval.metrics.coverage import coverage
from ganeval.training.budget import Budget
from ganeval.training.guard import CollapseGuard, Diversity, diversity
from ganeval.training.probe import Probe


def normal(num: int, seed: int, dim: int = 8) -> Tensor:
    return torch.randn(num, dim, generator=torch.Generator().manual_seed(seed))


# Coverage


def test_coverage_of_the_same_distribution_is_what_the_paper_expects() -> None:
    # Naeem et al. 2020, sec. 3.3: 1 − (N−1)⋯(N−k) / (2N−1)⋯(2N−k) for as many fakes as reals; over 20 draws of 500.
    n, k = 500, 5
    expected = 1 - math.prod((n - i) / (2 * n - i) for i in range(1, k + 1))
    found = [coverage(normal(n, 2 * i), normal(n, 2 * i + 1), k=k) for i in range(20)]
    assert sum(found) / len(found) == pytest.approx(expected, abs=0.01)


def test_coverage_counts_the_reals_that_have_a_fake_near_them() -> None:
    reals = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    assert coverage(reals, torch.tensor([[1.5]]), k=2) == pytest.approx(3 / 6)  # k-NN distances 2 1 2 | 2 1 2: 0 is 1.5 away, 1 is 0.5 …
    assert coverage(reals, reals, k=2) == 1.0
    assert coverage(reals, torch.tensor([[100.0]]), k=2) == 0.0


@given(seed=st.integers(0, 1000))
def test_coverage_does_not_depend_on_order_scale_or_place(seed: int) -> None:
    real, fake = normal(40, seed), normal(30, seed + 1)
    value = coverage(real, fake)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(seed))
    assert coverage(real.flip(0), fake[order]) == value
    assert coverage(4 * real + 8, 4 * fake + 8) == pytest.approx(value, abs=0.05)  # one real may change sides by rounding


def test_coverage_needs_more_reals_than_neighbors() -> None:
    with pytest.raises(InputError, match="more than 5 reals"):
        coverage(normal(5, 0), normal(5, 1))


# Diversity and the guard


def test_diversity_is_near_one_for_equal_distributions_and_falls_with_modes_and_spread() -> None:
    real = normal(600, 0)
    same = diversity(real, normal(600, 1))
    assert same.coverage > 0.9
    assert same.spread == pytest.approx(1, abs=0.05)
    shrunk, one = diversity(real, 0.3 * normal(600, 1)), diversity(real, normal(1, 1).expand(600, -1))
    assert shrunk.spread == pytest.approx(0.3, abs=0.02)
    assert shrunk.coverage < same.coverage
    assert one.spread == 0
    assert one.coverage < 0.2


def test_the_guard_warns_when_diversity_halves_twice_in_a_row_and_not_for_one_bad_score() -> None:
    guard, good, bad = CollapseGuard(), Diversity(0.8, 0.9), Diversity(0.3, 0.8)
    assert guard.warning(good, 0.1) is None
    assert guard.warning(bad, 0.2) is None
    assert guard.warning(good, 0.3) is None
    assert guard.warning(bad, 0.4) is None
    warning = guard.warning(bad, 0.5)
    assert warning is not None
    assert "coverage 0.30 after 0.80" in warning


def test_the_guard_warns_of_a_generator_that_never_was_diverse_but_gives_it_time() -> None:
    guard = CollapseGuard()
    warnings = [guard.warning(Diversity(0.01, 0.05), done) for done in (0.0, 0.1, 0.2, 0.3, 0.4)]
    assert [warning is not None for warning in warnings] == [False, False, False, False, True]


def test_the_guard_remembers_over_a_resume_and_forgives_after_a_rollback() -> None:
    guard = CollapseGuard()
    guard.warning(Diversity(0.8, 0.9), 0.1)
    guard.warning(Diversity(0.1, 0.1), 0.2)
    resumed = CollapseGuard()
    resumed.load_state_dict(guard.state_dict())
    assert resumed.warning(Diversity(0.1, 0.1), 0.3) is not None
    resumed.forgive()
    assert resumed.warning(Diversity(0.1, 0.1), 0.3) is None


# Budget


@given(share=st.floats(0.01, 0.5), cost=st.floats(0.1, 20), step=st.floats(0.05, 3))
def test_scores_cost_no_more_than_their_share_and_come_when_it_is_there(share: float, cost: float, step: float) -> None:
    now = [100.0]
    budget = Budget(share, clock=lambda: now[0])
    scores = 0
    for _ in range(400):
        now[0] += step
        if budget.affordable:
            with budget.spending():
                now[0] += cost
            scores += 1
            assert scores == 1 or (scores + 1) * cost <= share * (now[0] - 100) + 1e-6  # room for the one at the end is left
        else:  # refused only where one more would leave none
            assert (scores + 2) * cost > share * (now[0] - 100) - 1e-6
    assert scores >= 1


def test_no_budget_is_no_score() -> None:
    now = [0.0]
    budget = Budget(0.0, clock=lambda: now[0])
    now[0] = 1e6
    assert not budget.affordable


# Probe


def test_the_probe_reads_separable_classes_and_attributes_and_not_what_is_not_there() -> None:
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3
    centers = 6 * torch.randn(3, 8, generator=rng)
    features = centers[labels] + normal(300, 1)
    probe = Probe(features[:200], labels[:200], 3)
    assert probe.hits(features[200:], labels[200:]).float().mean() > 0.97
    assert probe.hits(features[200:], (labels[200:] + 1) % 3).float().mean() < 0.03
    attributes = torch.stack([features[:, 0] > 0, torch.rand(300, generator=rng) > 0.5], dim=1).float()
    hits = Probe(features[:200], attributes[:200], 2).hits(features[200:], attributes[200:]).float().mean(dim=0)
    assert hits[0] > 0.85
    assert 0.35 < hits[1] < 0.65


# Paired figures


def pictures(seed: int, num: int = 6, size: int = 24, channels: int = 3) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num, channels, size, size), generator=rng, dtype=torch.uint8)


def test_l1_and_psnr_have_their_closed_forms() -> None:
    black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    assert paired.l1(black + 10, black).tolist() == [10, 10]
    assert paired.psnr(black + 10, black).tolist() == pytest.approx([20 * math.log10(25.5)] * 2)
    assert paired.psnr(black, black).tolist() == [100, 100]


def test_ssim_is_one_for_equal_pictures_symmetric_and_small_for_noise() -> None:
    a, b = pictures(0), pictures(1)
    assert paired.ssim(a, a).tolist() == pytest.approx([1] * 6)
    assert torch.equal(paired.ssim(a, b), paired.ssim(b, a))
    assert paired.ssim(a, b).abs().max() < 0.2


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_and_psnr_equal_torchmetrics(channels: int) -> None:
    image = pytest.importorskip("torchmetrics.functional.image")
    target = pictures(0, channels=channels, size=40)
    fake = (target.double() * 0.7 + pictures(1, channels=channels, size=40).double() * 0.3).to(torch.uint8)
    a, b = fake.double(), target.double()
    _, full = image.structural_similarity_index_measure(a, b, data_range=255.0, reduction="none", return_full_image=True)
    margin = paired.WINDOW // 2  # torchmetrics 1.9 averages its mirrored border in too; Wang et al.'s ssim.m and scikit-image do not
    inside = full[..., margin:-margin, margin:-margin].mean(dim=(1, 2, 3))
    # float64 on both sides: what is left is the order of summation.
    torch.testing.assert_close(paired.ssim(fake, target), inside, rtol=1e-9, atol=1e-9)
    theirs = image.peak_signal_noise_ratio(a, b, data_range=255.0, dim=(1, 2, 3), reduction="none")
    torch.testing.assert_close(paired.psnr(fake, target), theirs, rtol=1.2e-7, atol=0)  # its 10 / log 10 is a float32


def test_pictures_that_do_not_pair_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        paired.l1(pictures(0), pictures(0, num=5))
    with pytest.raises(InputError, match="uint8"):
        paired.psnr(pictures(0).float(), pictures(0).float())
    with pytest.raises(InputError, match="11×11"):
        paired.ssim(pictures(0, size=8), pictures(0, size=8))
