"""A history of fakes (Shrivastava et al. 2016), for discriminators that shall not forget."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """The last fakes or so: buffers, so that they are in the checkpoint; drawn from by torch's global stream."""

    images: Tensor  # [size, channels, side, side]
    count: Tensor  # how many of them are filled

    def __init__(self, size: int, channels: int, side: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, channels, side, side))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchanged(self, fakes: Tensor) -> Tensor:
        """Each fake, or with probability ½ one from the pool, whose place it takes; the pool is filled first.

        One after the other, as the authors do it; without a question to the device.
        """
        size = len(self.images)
        if not size:
            return fakes.detach()
        given = []
        for fake in fakes.detach().to(self.images.dtype).split(1):
            full = self.count >= size
            place = torch.where(full, torch.randint(size, (1,), device=fake.device), self.count)
            old = self.images[place]
            swap = full & (torch.rand((), device=fake.device) < 0.5)
            given.append(torch.where(swap, old, fake))
            self.images[place] = torch.where(swap | ~full, fake, old)
            self.count += ~full
        return torch.cat(given)
