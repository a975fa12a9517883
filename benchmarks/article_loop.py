"""DCGAN as article 002 trains it: an eager loop over a DataLoader, with the nets that ganeval has under the same configuration.

Nothing is left out to make it slow, nothing is added to make it fast: the discriminator's step goes back through the generator too, since
the article does not detach the fakes; `detach` does what most later code does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision import transforms

from ganeval_models.dcgan import DCGAN, DCGANConfig


class PicturesInMemory(Dataset[torch.Tensor]):
    """As torchvision's CIFAR10 keeps them: one array, each item made a PIL image and transformed when it is asked for."""

    def __init__(self, images: np.ndarray[Any, Any]) -> None:
        self.images = images  # uint8 [num, side, side, 3]
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        made: torch.Tensor = self.transform(Image.fromarray(self.images[index]))
        return made


def plain_nets(model: DCGAN) -> tuple[nn.Sequential, nn.Sequential]:
    """Generator and discriminator as chains of convolutions, with the weights of `model` (kernels of 4, no biases)."""
    ours = model.config
    convolutions = [layer for layer in model.generator.layers if isinstance(layer, nn.ConvTranspose2d)]
    first = convolutions[0].in_channels
    generator: list[nn.Module] = [nn.ConvTranspose2d(ours.z_dim, first, ours.bottom, 1, 0, bias=False)]
    for convolution in convolutions:
        inputs, outputs = convolution.in_channels, convolution.out_channels
        generator += [nn.BatchNorm2d(inputs), nn.ReLU(True), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    generator.append(nn.Tanh())

    discriminator: list[nn.Module] = []
    for layer in model.discriminator.layers:
        if isinstance(layer, nn.Conv2d):
            discriminator.append(nn.Conv2d(layer.in_channels, layer.out_channels, 4, 2, 1, bias=False))
        elif isinstance(layer, nn.BatchNorm2d):
            discriminator.append(nn.BatchNorm2d(layer.num_features))
        elif isinstance(layer, nn.LeakyReLU):
            discriminator.append(nn.LeakyReLU(layer.negative_slope, inplace=True))
        elif isinstance(layer, nn.Linear):
            discriminator.append(nn.Conv2d(layer.in_features // ours.bottom**2, 1, ours.bottom, 1, 0, bias=False))
    nets = nn.Sequential(*generator), nn.Sequential(*discriminator, nn.Sigmoid())

    projection = model.generator.project.weight  # [first · bottom², z_dim]
    for net, weights in zip(nets, (model.generator.parameters(), model.discriminator.parameters()), strict=True):
        for parameter, weight in zip(net.parameters(), weights, strict=True):
            moved = weight.T if weight is projection else weight
            parameter.data.copy_(moved.reshape(parameter.shape))
    return nets


def losses_of_plain_loop(
    nets: tuple[nn.Module, nn.Module],
    config: DCGANConfig,
    images: np.ndarray[Any, Any],
    order: Sampler[int],
    *,
    device: str,
    detach: bool,
) -> Iterator[tuple[float, float]]:
    """Train generator and discriminator on batches of `images` in `order`; after each step both losses."""
    net_g, net_d = (net.to(device) for net in nets)
    optimizer_d = torch.optim.Adam(net_d.parameters(), lr=config.lr, betas=(config.beta1, config.beta2))
    optimizer_g = torch.optim.Adam(net_g.parameters(), lr=config.lr, betas=(config.beta1, config.beta2))
    criterion = nn.BCELoss()
    # Its own generator: it else draws from the stream that z comes from, and the two ways could not be compared.
    loader = DataLoader(PicturesInMemory(images), batch_size=config.batch_size, sampler=order, generator=torch.Generator())
    for real in loader:
        real, number = real.to(device), len(real)
        fake = net_g(torch.randn(number, config.z_dim, 1, 1, device=device))
        ones, zeros = torch.ones(number, device=device), torch.zeros(number, device=device)

        optimizer_d.zero_grad()
        loss_real = criterion(net_d(real).flatten(), ones)
        loss_real.backward(retain_graph=True)
        loss_fake = criterion(net_d(fake.detach() if detach else fake).flatten(), zeros)
        loss_fake.backward(retain_graph=True)
        optimizer_d.step()

        optimizer_g.zero_grad()
        loss_g = criterion(net_d(fake).flatten(), ones)
        loss_g.backward()
        optimizer_g.step()
        yield loss_real.item() + loss_fake.item(), loss_g.item()
