"""train(): one loop for all models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor

from ganeval.errors import InputError
from ganeval.training.batch import Batch
from ganeval.training.check import check_batch
from ganeval.training.gan import GAN
from ganeval.training.loader import Loader
from ganeval.training.loss_log import LossLog
from ganeval.training.sampling import averaged, nets_of_fakes
from ganeval.training.state import TrainState

Callback = Callable[[TrainState], None]
Precision = Literal["float32", "bfloat16"]

STOP_CHECK = 10  # steps between two questions to the other processes whether anybody was told to stop


def train(
    model: GAN,
    batches: Iterable[Any],
    *,
    num_steps: int | None = None,
    every: Mapping[int, Callback] | Iterable[tuple[int, Callback]] = (),
    resume: Mapping[str, Any] | None = None,
    log_every: int = 50,
    on_losses: Callable[[int, dict[str, float]], None] | None = None,
    stop: Callable[[], bool] | None = None,
    precision: Precision = "float32",
    compiled: bool = False,
    channels_last: bool | None = None,
    check_range: bool = True,
) -> TrainState:
    """Train `model` up to step `num_steps`, and return where it stands.

        model = DCGAN(DCGAN.Config(), data.spec)
        train(model, Loader(data.train, data.spec, batch_size=64), num_steps=10_000, every={1000: callback})

    Args:
        batches: of `Batch`, tensors or (images, labels) with pictures as floats in [-1, 1]; begun again when they end. `Loader`, and
            anything with `state_dict` and `load_state_dict`, continues where it was when a run is resumed.
        num_steps: in all, counted from step 0 also for a resumed run; None is the configuration's.
        every: what to call with the `TrainState` after each step that the number divides, before the first step of a new run and after
            the last one.
        resume: the state of an earlier run (`load_checkpoint`); k steps and then k more equal 2k steps bit for bit on a CPU.
        log_every: steps between two looks at the losses; the only moments when the device is waited for.
        on_losses: called there with the step and the means since the last look.
        stop: asked after each step; True ends the run as if that step were the last.
        precision: "bfloat16" runs the nets under autocast; weights, optimizers and gradients stay float32.
        compiled: torch.compile for all nets that are not differentiated twice.
        channels_last: the memory format that convolutions on CPUs and recent GPUs prefer; None is on a CPU only.
        check_range: whether the first batch, and a first fake, must look like pictures in [-1, 1] before anything is trained.

    Raises:
        InputError: a first batch whose pictures, labels or sources are not what the model takes; a checkpoint of another run; a loss or
            weight that became NaN or infinite, with the step and the tensor. The state then is lost, and the last checkpoint that a
            callback wrote is good.
    """
    num_steps = model.config.num_steps if num_steps is None else num_steps
    state = TrainState(model, averaged(model), batches, num_steps)
    if resume is not None:
        state.load_state_dict(resume)
    if num_steps < state.step:
        raise InputError(f"the run is at step {state.step:,} already; num_steps must be more than that, got {num_steps:,}")
    model.train()
    if channels_last is None:
        channels_last = model.device.type == "cpu" and torch.backends.mkldnn.is_available()  # its convolutions are the ones that gain
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    _prepared(state, compiled=compiled, memory_format=memory_format)
    callbacks = list(every.items() if isinstance(every, Mapping) else every)
    losses = LossLog(model, on_losses)
    nets = nets_of_fakes(model)
    rates = {name: optimizer.defaults["lr"] for name, optimizer in model.optimizers.items()}

    if resume is None:
        for _, callback in callbacks:
            callback(state)
    stream, checked = _endless(batches, model, memory_format), False
    while state.step < num_steps:
        batch = next(stream)
        if not checked:
            check_batch(batch, state, check_range=check_range and not isinstance(batches, Loader))  # which makes the range itself
            checked = True
        _schedule(model, rates, state.step / num_steps)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            step_losses = model.train_step(batch)
        if state.average is not None:
            state.average.update_parameters(nets)
        state.step += 1
        losses.add(state.step, step_losses)

        last = _stopped(stop, state.step) or state.step == num_steps
        due = [callback for steps, callback in callbacks if last or state.step % steps == 0]
        if due or last or state.step % log_every == 0:
            losses.look()
        if due:
            losses.check_nets(state.step)  # a checkpoint never holds a NaN, which the last update may have made
        for callback in due:
            callback(state)
        if last:
            break
    return state


def _prepared(state: TrainState, *, compiled: bool, memory_format: torch.memory_format) -> None:
    model = state.model
    model.to(memory_format=memory_format)
    if state.average is not None:
        state.average.to(memory_format=memory_format)
    state.lay_out_moments()
    for name, net in model.named_children():
        if compiled and name not in model.twice_differentiated:
            net.compile(dynamic=False)  # else the sizes of nets of one class are taken for sizes that change


def _endless(batches: Iterable[Any], model: GAN, memory_format: torch.memory_format) -> Any:
    while True:
        empty = True
        for item in batches:
            empty = False
            yield _on_device(_as_batch(item), model.device, memory_format)
        if empty:
            raise InputError("the batches to train on are empty; an iterator can be read only once, give something that starts anew")


def _as_batch(item: Any) -> Batch:
    if isinstance(item, Batch):
        return item
    if isinstance(item, Tensor):
        return Batch(item)
    if isinstance(item, (tuple, list)) and item and isinstance(item[0], Tensor):
        return Batch(*item[:3])
    raise InputError(f"a batch is a Batch, a tensor of images or (images, labels), got {type(item).__name__}")


def _on_device(batch: Batch, device: torch.device, memory_format: torch.memory_format) -> Batch:
    if not batch.images.is_floating_point():
        raise InputError(f"pictures for training are floats in [-1, 1], got {str(batch.images.dtype).removeprefix('torch.')}")
    images, labels, source = batch
    return Batch(
        images.to(device, memory_format=memory_format, non_blocking=True),
        None if labels is None else labels.to(device, non_blocking=True),
        None if source is None else source.to(device, memory_format=memory_format, non_blocking=True),
    )


def _schedule(model: GAN, rates: Mapping[str, float], done: float) -> None:
    """Set the learning rates for a step, `done` being the share of steps before it."""
    decay_from = model.config.decay_from
    if decay_from >= 1:
        return
    scale = min(1.0, (1 - done) / (1 - decay_from))
    for name, optimizer in model.optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = rates[name] * scale


def _stopped(stop: Callable[[], bool] | None, step: int) -> bool:
    """Whether anybody was told to stop; all processes give the same answer."""
    told = stop is not None and stop()
    if not dist.is_initialized():
        return told
    if step % STOP_CHECK:
        return False
    told_here = torch.tensor(float(told), device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(told_here, dist.ReduceOp.MAX)
    return bool(told_here.item())
