"""train(): exact resume for all models, callbacks, averages, schedules, and what it refuses."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._inductor import config as inductor
from torch.utils.data import DataLoader, TensorDataset

from ganeval.errors import InputError
from ganeval.training.batch import Batch
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint
from ganeval.training.gan import GAN
from ganeval.training.loader import Loader
from ganeval.training.loop import train
from ganeval.training.loss_log import Diverged
from ganeval.training.state import TrainState
from small_models import SMALL, small_data, small_model

K = 6
IMAGES = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
pytestmark = pytest.mark.usefixtures("one_thread")


def a_run(name: str, **changes: Any) -> tuple[GAN, Loader]:
    """A model with average, mirroring and a falling rate, and its batches."""
    size, _ = SMALL[name]
    enlarge = 1.25
    model = small_model(name, ema_decay=0.9, flip=True, decay_from=0.25, enlarge=enlarge, num_steps=2 * K, **changes)
    data = small_data(model.task, size, enlarge=enlarge)
    torch.manual_seed(7)
    return model, Loader(data.train, data.spec, batch_size=model.config.batch_size, seed=3, flip=True)


def everything(state: TrainState) -> dict[str, Tensor]:
    """All tensors that a checkpoint has, by name."""
    found: dict[str, Tensor] = {}

    def walk(value: Any, name: str) -> None:
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, (dict, list, tuple)):
            for key, part in value.items() if isinstance(value, dict) else enumerate(value):
                walk(part, f"{name}/{key}")

    walk(state.state_dict(), "")
    return {name: tensor.clone() for name, tensor in found.items()}


@pytest.mark.parametrize("name", SMALL)
def test_k_steps_and_k_more_equal_2k_steps_bit_for_bit(name: str, tmp_path: Path) -> None:
    model, batches = a_run(name)
    unbroken = everything(train(model, batches, num_steps=2 * K))

    model, batches = a_run(name)
    steps = count(1)
    first = train(model, batches, num_steps=2 * K, stop=lambda: next(steps) == K)
    assert first.step == K
    save_checkpoint(tmp_path / "k.pt", first.state_dict())

    model, batches = a_run(name)  # a new process: other objects, another place in the global stream
    torch.manual_seed(12345)
    second = everything(train(model, batches, num_steps=2 * K, resume=load_checkpoint(tmp_path / "k.pt")))
    assert unbroken.keys() == second.keys()
    different = [key for key in unbroken if not torch.equal(unbroken[key], second[key])]
    assert different == []


@pytest.mark.parametrize("name", SMALL)
def test_sampling_leaves_modes_gradients_streams_and_weights_alone(name: str) -> None:
    seen: list[bool] = []

    def sample(state: TrainState) -> None:
        before, modes = everything(state), [module.training for module in state.model.modules()]
        gradients = [None if p.grad is None else p.grad.clone() for p in state.model.parameters()]
        own = [getattr(state.model, generator) for generator in state.model.generators]
        with state.sampling(5) as rng:
            first = state.model.fakes(next(iter(batches)), rng)
        assert not first.requires_grad
        assert [module.training for module in state.model.modules()] == modes
        assert [getattr(state.model, generator) for generator in state.model.generators] == own
        after = everything(state)
        kept = [None if p.grad is None else p.grad.clone() for p in state.model.parameters()]
        seen.append(all(torch.equal(before[key], after[key]) for key in before))
        assert all(was is now or (was is not None and now is not None and was.equal(now)) for was, now in zip(gradients, kept, strict=True))

    model, _ = a_run(name)
    data = small_data(model.task, SMALL[name][0])
    images, labels, source = next(iter(Loader(data.train, data.spec, batch_size=4)))
    batches = [Batch(images, labels, images if source is None else source)]
    train(model, batches, num_steps=3, every={1: sample})
    assert seen == [True] * 4


def test_the_average_is_what_its_decay_says_and_takes_buffers_along() -> None:
    model, batches = a_run("dcgan")
    generator = model.get_submodule("generator")
    values: list[dict[str, Tensor]] = []
    state = train(
        model, batches, num_steps=4, every={1: lambda state: values.append({k: v.clone() for k, v in generator.state_dict().items()})}
    )
    assert state.average is not None
    expected = values[1]
    for number, value in enumerate(values[2:], start=1):
        decay = min(0.9, (1 + number) / (10 + number))
        expected = {k: decay * expected[k] + (1 - decay) * v if v.is_floating_point() else v for k, v in value.items()}
    averages = state.average.module.get_submodule("generator").state_dict()
    assert any("running_mean" in key for key in averages)
    for key, value in averages.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, expected[key])


def test_the_rate_falls_linearly_to_zero_from_where_it_is_told() -> None:
    model, batches = a_run("gan")
    rates: list[float] = []
    train(model, batches, num_steps=8, every={1: lambda state: rates.append(model.optimizers["g_optimizer"].param_groups[0]["lr"])})
    share = [rate / model.config.lr for rate in rates]
    assert share == pytest.approx([1, 1, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_callbacks_come_at_their_steps_before_the_first_and_after_the_last() -> None:
    model, batches = a_run("gan")
    steps: dict[str, list[int]] = {"two": [], "three": []}
    train(
        model,
        batches,
        num_steps=5,
        every=[(2, lambda state: steps["two"].append(state.step)), (3, lambda state: steps["three"].append(state.step))],
    )
    assert steps == {"two": [0, 2, 4, 5], "three": [0, 3, 5]}


def test_losses_are_handed_on_as_means_of_the_steps_between() -> None:
    model, batches = a_run("stargan")  # has the generator's losses at every second step only
    seen: list[tuple[int, set[str]]] = []
    train(model, batches, num_steps=5, log_every=2, on_losses=lambda step, losses: seen.append((step, set(losses))))
    assert [step for step, _ in seen] == [2, 4, 5]
    assert "generator" in seen[0][1]


@pytest.mark.parametrize("kind", ["tensor", "tuple", "loader"])
def test_tensors_pairs_and_data_loaders_train_too_and_begin_anew_when_they_end(kind: str) -> None:
    model = small_model("gan")
    images = torch.rand(12, 3, 8, 8) * 2 - 1
    batches: Any = {
        "tensor": [images],
        "tuple": [(images, torch.zeros(12))],
        "loader": DataLoader(TensorDataset(images, torch.zeros(12)), batch_size=6),
    }[kind]
    assert train(model, batches, num_steps=5).step == 5


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.rand(4, 3, 8, 8), "goes from"),
        (torch.rand(4, 3, 8, 8) * 255, "goes from"),
        (torch.randint(0, 255, (4, 3, 8, 8), dtype=torch.uint8), "floats in"),
        (torch.rand(4, 1, 8, 8) * 2 - 1, r"\[3, 8, 8\]"),
        (torch.full((4, 3, 8, 8), float("nan")), "nan"),
    ],
)
def test_pictures_of_another_range_or_shape_are_refused_before_the_first_step(images: Tensor, says: str) -> None:
    with pytest.raises(InputError, match=says):
        train(small_model("gan"), [images], num_steps=1)


def test_batches_that_are_no_batches_or_run_dry_are_refused() -> None:
    with pytest.raises(InputError, match="got dict"):
        train(small_model("gan"), [{"image": torch.zeros(1)}], num_steps=1)
    with pytest.raises(InputError, match="empty"):
        train(small_model("gan"), [], num_steps=1)


def test_nan_stops_with_step_and_tensor_and_leaves_the_last_checkpoint_good(tmp_path: Path) -> None:
    model, batches = a_run("gan")
    file = tmp_path / "last.pt"

    def poison(state: TrainState) -> None:
        if state.step == 7:
            with torch.no_grad():
                next(model.get_submodule("generator").parameters()).fill_(float("nan"))

    every = [(2, lambda state: save_checkpoint(file, state.state_dict())), (1, poison)]
    with pytest.raises(Diverged, match=r"step 8.*generator\."):
        train(model, batches, num_steps=12, every=every)
    kept = load_checkpoint(file)
    assert kept["step"] == 6
    assert all(tensor.isfinite().all() for tensor in kept["nets"].values() if tensor.is_floating_point())


def test_a_weight_that_the_last_update_spoiled_is_in_no_checkpoint(tmp_path: Path) -> None:
    model, batches = a_run("gan")
    file, generator = tmp_path / "last.pt", model.get_submodule("generator")
    updates = count(1)

    def spoil(optimizer: Any, args: Any, kwargs: Any) -> None:
        if next(updates) == 8:  # its losses are of before, and finite
            with torch.no_grad():
                next(generator.parameters())[0] = float("inf")

    model.optimizers["g_optimizer"].register_step_post_hook(spoil)
    with pytest.raises(Diverged, match=r"at step 8, generator\..* is no longer finite; the last checkpoint is from before"):
        train(model, batches, num_steps=12, every={2: lambda state: save_checkpoint(file, state.state_dict())})
    assert load_checkpoint(file)["step"] == 6


def test_what_comes_before_the_first_step_is_not_repeated_by_a_resumed_run(tmp_path: Path) -> None:
    model, batches = a_run("gan")
    train(model, batches, num_steps=2, every={2: lambda state: save_checkpoint(tmp_path / f"{state.step}.pt", state.state_dict())})
    steps: list[int] = []
    model, batches = a_run("gan")
    train(model, batches, num_steps=2, every={1: lambda state: steps.append(state.step)}, resume=load_checkpoint(tmp_path / "0.pt"))
    assert steps == [1, 2]


def test_a_checkpoint_of_another_model_or_configuration_is_refused() -> None:
    model, batches = a_run("gan")
    state = train(model, batches, num_steps=1).state_dict()
    for other, says in ((small_model("dcgan"), "model VanillaGAN"), (small_model("gan", lr=0.5), "lr = 0.0002")):
        with pytest.raises(InputError, match=says):
            train(other, batches, num_steps=2, resume=state)
    bigger = small_model("gan", small_data("images", 16), ema_decay=0.9, flip=True, decay_from=0.25, enlarge=1.25, num_steps=2 * K)
    with pytest.raises(InputError, match="image_size"):
        train(bigger, batches, num_steps=2, resume=state)


@pytest.mark.parametrize("name", SMALL)
def test_bfloat16_and_channels_last_train_to_finite_losses(name: str) -> None:
    model, batches = a_run(name)
    losses: list[dict[str, float]] = []
    dtypes: set[torch.dtype] = set()
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.register_forward_hook(lambda layer, inputs, output: dtypes.add(output.dtype))
    train(
        model,
        batches,
        num_steps=4,
        precision="bfloat16",
        channels_last=True,
        log_every=1,
        on_losses=lambda step, found: losses.append(found),
    )
    assert len(losses) == 4
    own = {torch.float32} if name == "stargan" else set()  # its gradient penalty is taken in full precision
    assert dtypes == {torch.bfloat16, *own}
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in model.parameters() if weight.dim() == 4)


@pytest.mark.parametrize(
    ("name", "batch", "says"),
    [
        ("cgan", (IMAGES,), "'classes' needs labels"),
        ("cgan", (IMAGES, torch.tensor([0, 1, 2, 3])), r"whole numbers from 0 to 2; got int64 from 0 to 3"),
        ("cgan", (IMAGES, torch.tensor([0.0, 1, 2, 2])), "got float32 from 0 to 2"),
        ("cgan", (IMAGES, torch.zeros(4, 3, dtype=torch.int64)), r"shape \[4\], got \[4, 3\]"),
        ("stargan", (IMAGES.repeat(1, 1, 2, 2), torch.full((4, 2), 0.5)), "0 or 1; got float32 from 0.5 to 0.5"),
        ("stargan", (IMAGES.repeat(1, 1, 2, 2), torch.zeros(4, dtype=torch.int64)), r"shape \[4, 2\]"),
        ("pix2pix", (IMAGES.repeat(1, 1, 4, 4),), "'pairs' needs a source"),
        ("cyclegan", (IMAGES.repeat(1, 1, 2, 2), None, IMAGES), r"sources of \[3, 8, 8\]"),
    ],
)
def test_labels_and_sources_that_do_not_fit_are_refused_before_the_first_step(name: str, batch: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        train(small_model(name), [Batch(*batch)], num_steps=1)


def test_batches_of_another_seed_or_size_do_not_continue_a_run() -> None:
    data = small_data("images", 8)
    state = Loader(data.train, data.spec, batch_size=4, seed=3).state_dict()
    for seed, batch_size, says in ((4, 4, "seed 3, not 4"), (3, 2, "batch_size 4, not 2")):
        with pytest.raises(InputError, match=says):
            Loader(data.train, data.spec, batch_size=batch_size, seed=seed).load_state_dict(state)


def nets_of(model: GAN) -> list[tuple[str, nn.Module]]:
    return [(part, net) for part, net in model.named_children() if any(True for _ in net.parameters())]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "pix2pix", "cyclegan", "stargan"])  # every block that there is; a minute each
def test_compiled_nets_learn_as_eager_ones_do(name: str) -> None:
    torch.compiler.reset()  # torch gives up on code that it has compiled eight times, for whatever nets
    losses: dict[bool, list[float]] = {True: [], False: []}
    for compiled in losses:
        model, batches = a_run(name)

        def keep(step: int, found: dict[str, float], compiled: bool = compiled) -> None:
            losses[compiled].append(found["discriminator"])

        with inductor.patch(fallback_random=True):  # dropout as eager: its own stream would be another one
            train(model, batches, num_steps=3, compiled=compiled, log_every=1, on_losses=keep)
        left_alone = [part for part, net in nets_of(model) if net._compiled_call_impl is None]
        assert left_alone == [part for part, _ in nets_of(model) if not compiled or part in model.twice_differentiated]
        assert set(model.state_dict()) == set(a_run(name)[0].state_dict())
    assert losses[True] == pytest.approx(losses[False], rel=1e-3)


@pytest.mark.parametrize("then", [True, False])
def test_a_run_goes_on_alike_in_another_memory_format(then: bool, tmp_path: Path) -> None:
    """Fused optimizers go through memory, not through indices: moments of one format beside weights of another would be a silent error."""
    model, batches = a_run("dcgan")
    save = {K: lambda state: save_checkpoint(tmp_path / f"{state.step}.pt", state.state_dict())}
    unbroken = train(model, batches, num_steps=2 * K, channels_last=not then, every=save).model.state_dict()
    model, batches = a_run("dcgan")
    half = load_checkpoint(tmp_path / f"{K}.pt")
    resumed = train(model, batches, num_steps=2 * K, channels_last=then, resume=half).model.state_dict()
    for name, value in unbroken.items():
        difference = (resumed[name].double() - value.double()).norm() / value.double().norm().clamp(min=1e-6)
        assert difference < 1e-3, name  # Adam turns the sign of a gradient near 0 into a whole step, so weights agree less well than losses


def test_on_a_cpu_nets_and_their_average_are_in_the_format_of_its_convolutions() -> None:
    model, batches = a_run("dcgan")
    state = train(model, batches, num_steps=1)
    assert state.average is not None
    memory_format = torch.channels_last if torch.backends.mkldnn.is_available() else torch.contiguous_format
    for net in (model, state.average):
        assert all(weight.is_contiguous(memory_format=memory_format) for weight in net.parameters() if weight.dim() == 4)
