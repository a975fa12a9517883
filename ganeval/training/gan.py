"""GAN: what a model offers to the loop, and the few lines that all training steps share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from math import inf, isfinite
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from ganeval.errors import InputError
from ganeval.training.batch import Batch, DataSpec, Task
from ganeval.training.foreign import Foreign

Prior = Literal["normal", "uniform"]
"""Where latents come from: N(0, 1) or U(−1, 1)."""

BOUNDS = {
    "batch_size": (1, 65_536),
    "lr": (0, inf),
    "beta1": (0, 1),
    "beta2": (0, 1),
    "decay_from": (0, 1),
    "ema_decay": (0, 1),
    "enlarge": (1, inf),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GANConfig:
    """What every model has. The command line reads its options off the fields: type, default, and the help in `Annotated`."""

    batch_size: Annotated[int, "Pictures per step."] = 64
    num_steps: Annotated[int, "Training steps; one step updates the discriminator once."] = 100_000
    lr: Annotated[float, "Learning rate of Adam."] = 2e-4
    beta1: Annotated[float, "Decay of Adam's first moment."] = 0.5
    beta2: Annotated[float, "Decay of Adam's second moment."] = 0.999
    decay_from: Annotated[float, "Share of the steps after which the learning rate falls linearly to 0; 1 is never."] = 1.0
    ema_decay: Annotated[float, "Decay per step of the average of the generator's weights that is sampled from; 0 is no average."] = 0.0
    flip: Annotated[bool, "Mirror half of the pictures."] = False
    enlarge: Annotated[float, "Resize pictures to this times their size, then crop at random."] = 1.0

    may_be_zero: ClassVar[tuple[str, ...]] = ()  # whole numbers that need not be 1 at least

    def __post_init__(self) -> None:
        """Raise an InputError that names a number no run can work with. What only one model knows, that model checks."""
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if isinstance(value, float) and not isfinite(value):
                raise InputError(f"{name} must be a finite number, got {value}")
            if type(value) is int and value < (least := 0 if name in self.may_be_zero else 1):  # a bool is none
                raise InputError(f"{name} must be at least {least}, got {value}")
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                bounds = f"at least {low:g}" if high == inf else f"between {low:g} and {high:g}"
                raise InputError(f"{name} must be {bounds}, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named configuration, with the size of picture it is meant for where the data have none of their own."""

    config: GANConfig
    about: str  # one line: whose values, and where they differ
    image_size: int
    channels: int = 3


class GAN(nn.Module, ABC):
    """Base class of all trainers; one paper, one file, one subclass.

    A subclass sets the class variables, builds its nets and optimizers in `__init__` (attributes; they are found), and writes
    `train_step` and `fakes`. What makes fakes draws its noise from `rng` only; what trains draws from torch's global stream.
    """

    Config: ClassVar[type[GANConfig]] = GANConfig
    presets: ClassVar[Mapping[str, Preset]]  # "paper" first; "quick" is for the embedded data on a CPU
    task: ClassVar[Task] = "images"
    paper: ClassVar[str]  # authors, year, title, arXiv number
    generators: ClassVar[tuple[str, ...]] = ("generator",)  # attributes: the nets that fakes are made by, and that are averaged
    twice_differentiated: ClassVar[tuple[str, ...]] = ()  # attributes: nets that torch.compile must leave alone
    foreign: ClassVar[Foreign | None] = None  # whose files its generators can be read from

    def __init__(self, config: Any, spec: DataSpec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec

    @abstractmethod
    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the nets once; the losses by name, detached scalars on the model's device (reading them would wait for it)."""

    @abstractmethod
    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        """One fake per item of `batch`: float [batch, channels, side, side] in [-1, 1].

        Only what the task gives is looked at: the length of `images`; `labels`; `source`; or `source` and the `labels` it shall get.
        """

    def fake_sources(self, batch: Batch, rng: torch.Generator) -> Tensor:
        """For the task "domains": the way back, from `batch.images` to pictures of the source domain."""
        raise NotImplementedError(f"{type(self).__name__} goes one way only")

    @property
    def optimizers(self) -> dict[str, Optimizer]:
        """By attribute."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Optimizer)}

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def in_words(self) -> str:
        """Its nets with their numbers of parameters, and what a net says `about` itself."""
        said = []
        for name, net in self.named_children():
            size = sum(parameter.numel() for parameter in net.parameters())
            about = getattr(net, "about", "")
            said += [f"{name} {size:,}{f' ({about})' if about else ''}"] if size else []
        return ", ".join(said)

    def adam(self, *nets: nn.Module) -> torch.optim.Adam:
        """Adam over the parameters of `nets` with the configured rates, in one fused kernel."""
        config = self.config
        parameters = [parameter for net in nets for parameter in net.parameters()]
        fused = not any(parameter.is_meta for parameter in parameters)  # those of nets that are only counted are refused by torch 2.4
        return torch.optim.Adam(parameters, lr=config.lr, betas=(config.beta1, config.beta2), fused=fused)


class FromNoise(GAN):
    """A model that makes its fakes out of noise, and of a class where the task says so. Its Config has `prior`."""

    @property
    def prior(self) -> Prior:
        """Of its latents."""
        prior: Prior = self.config.prior
        return prior

    @abstractmethod
    def latents(self, num: int, rng: torch.Generator | None = None) -> Tensor:
        """z [num, z_dim] on the model's device; without `rng`, from torch's global stream."""

    @abstractmethod
    def pictures(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Of each z, and of each class for the task "classes": float [num, channels, side, side] in [-1, 1]."""

    def fakes(self, batch: Batch, rng: torch.Generator) -> Tensor:
        return self.pictures(self.latents(len(batch.images), rng), batch.labels)


def step(optimizer: Optimizer, loss: Tensor) -> None:
    """Clear the gradients, differentiate `loss`, average over processes where there are several, update.

    The gradients are averaged here and not by DistributedDataParallel: a discriminator is called twice before one backward, on
    reals and on fakes, which DDP's buffer synchronization breaks (pytorch/pytorch#175024).
    """
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(loss.device.type, enabled=False):
        loss.backward()
    if dist.is_initialized() and dist.get_world_size() > 1:
        _average(parameter.grad for group in optimizer.param_groups for parameter in group["params"] if parameter.grad is not None)
    optimizer.step()


def _average(gradients: Iterable[Tensor]) -> None:
    found = list(gradients)
    flat = torch.cat([gradient.flatten() for gradient in found])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(found, flat.split([gradient.numel() for gradient in found]), strict=True):
        gradient.copy_(part.view_as(gradient))


@contextmanager
def frozen(*nets: nn.Module) -> Iterator[None]:
    """Without gradients for the parameters of `nets`, which still pass them on to their input."""
    parameters = [parameter for net in nets for parameter in net.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
