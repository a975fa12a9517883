"""TrainState: a model in training with everything that its next steps depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from ganeval.errors import InputError, reason
from ganeval.shape import check_shape
from ganeval.training.gan import GAN
from ganeval.training.sampling import sampling
from ganeval.training.streams import random_state, set_random_state


@runtime_checkable
class Stateful(Protocol):
    """Batches that know where they are, as `Loader` does."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@dataclass(slots=True)
class TrainState:
    """What `every` callbacks are given."""

    model: GAN
    average: AveragedModel | None
    batches: Iterable[Any]
    num_steps: int
    step: int = 0

    def sampling(self, seed: int = 0) -> AbstractContextManager[torch.Generator]:
        """As `training.sampling.sampling`, with the average."""
        return sampling(self.model, self.average, seed=seed)

    def state_dict(self) -> dict[str, Any]:
        """For `save_checkpoint`. Under torch.distributed all processes must ask at once."""
        return {
            "model": model_identity(self.model),
            "step": self.step,
            "num_steps": self.num_steps,
            "nets": self.model.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.model.optimizers.items()},
            "batches": self.batches.state_dict() if isinstance(self.batches, Stateful) else None,
            "random": _gathered(random_state(self.model.device)),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from there.

        Raises:
            InputError: the checkpoint is of another model, configuration or data.
        """
        self.roll_back(state)
        check_processes(state)
        self.step = int(state["step"])
        rank = dist.get_rank() if dist.is_initialized() else 0
        set_random_state(state["random"][rank], self.model.device)
        if isinstance(self.batches, Stateful) and state["batches"] is not None:
            self.batches.load_state_dict(state["batches"])

    def roll_back(self, state: Mapping[str, Any]) -> None:
        """Take nets, average and optimizers from an earlier checkpoint, and go on from here: with new noise and the next batches."""
        load_nets(self.model, self.average, state)
        try:
            for name, optimizer in self.model.optimizers.items():
                optimizer.load_state_dict(state["optimizers"][name])
        except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as error:
            raise InputError(f"the checkpoint does not fit this version of {type(self.model).__name__}: {_first_line(error)}") from None
        self.lay_out_moments()

    def lay_out_moments(self) -> None:
        """Give what optimizers keep of a parameter its memory format: fused kernels go through both in the order of memory."""
        for optimizer in self.model.optimizers.values():
            for parameter, kept in optimizer.state.items():
                for name, value in kept.items():
                    if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                        kept[name] = torch.empty_like(parameter).copy_(value)


def model_identity(model: GAN) -> dict[str, Any]:
    """What two checkpoints must share to be of the same run, as plain values."""
    spec = asdict(model.spec)
    return {
        "name": type(model).__name__,
        "config": asdict(model.config),
        "spec": {key: list(value) if isinstance(value, tuple) else value for key, value in spec.items()},
    }


CHECKPOINT = {"model": {"name": str, "config": dict, "spec": dict}, "step": int, "nets": {"*": Tensor}, "average": (dict, type(None))}

MAY_CHANGE = {"num_steps"}  # a run may be made longer


def check_identity(model: GAN, state: Mapping[str, Any]) -> None:
    """Raise an InputError that names the first difference between a model and a checkpoint."""
    try:
        check_shape(state, CHECKPOINT)
    except ValueError as error:
        raise InputError(f"the checkpoint is damaged: {reason(error)}; take another one of the run") from None
    ours, theirs = model_identity(model), state["model"]
    if ours["name"] != theirs["name"]:
        raise InputError(f"the checkpoint is of the model {theirs['name']}, not of {ours['name']}; continue it with its own")
    theirs = {
        **theirs,
        "config": {**asdict(type(model.config)()), **theirs["config"]},
    }  # fields that it did not know yet had their defaults
    for part in ("config", "spec"):
        for key, value in ours[part].items():
            if key not in MAY_CHANGE and theirs[part].get(key) != value:
                raise InputError(
                    f"the checkpoint has {key} = {theirs[part].get(key)!r}, this run {value!r}; continue with the same, or start a new run"
                )


def check_processes(state: Mapping[str, Any]) -> None:
    """Raise an InputError where a checkpoint is of a run with more or fewer processes than this one."""
    now, then = dist.get_world_size() if dist.is_initialized() else 1, len(state["random"])
    if now != then:
        raise InputError(f"the checkpoint is of a run with {then} processes and cannot be continued with {now}; use as many")


def load_nets(model: GAN, average: AveragedModel | None, state: Mapping[str, Any]) -> None:
    """Only what makes fakes, for generating and scoring."""
    check_identity(model, state)
    nets = state["nets"]
    if "imported" in state:  # of other people's files, which hold a generator and nothing else
        nets = {**model.state_dict(), **nets}
    try:
        model.load_state_dict(nets)
        if average is not None:
            average.load_state_dict(state["average"])
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"the checkpoint does not fit this version of {type(model).__name__}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()[:2])[:200]


def _gathered(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Of all processes, by rank."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values
