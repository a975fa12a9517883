"""Train the embedded `tiny` extractor, from labelled folders to `ganeval/extractors/tiny.safetensors`.

    python examples/train_tiny_extractor.py DATA [--out FILE] [--epochs 10] [--seed 0] [--only-test]

DATA holds `cifar10`, `mnist` and `fashion-mnist`, each with `train/<class>/*.png` and `test/<class>/*.png`. Only the train
splits are trained on. About 30 minutes on two cores; prints the accuracy on the test splits as read back from the file.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from torchvision.datasets import ImageFolder

from ganeval.extractors.tiny import EMBEDDED, TinyNet, normalized

SETS = ("cifar10", "mnist", "fashion-mnist")  # in the order of the 30 classes
PER_EPOCH = (50_000, 10_000, 10_000)  # the gray sets are easier: fewer of theirs in each epoch
BATCH_SIZE = 128


def labelled(folder: Path, first_class: int) -> tuple[Tensor, Tensor]:
    """All pictures of a class folder, prepared as the network gets them, and their labels."""
    dataset = ImageFolder(str(folder))
    images = torch.from_numpy(np.stack([np.asarray(image) for image, _ in dataset])).permute(0, 3, 1, 2)
    prepared = torch.cat([normalized(chunk).half() for chunk in images.split(1000)])
    return prepared, torch.tensor(dataset.targets) + first_class


def augmented(images: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:
    """Shift by up to 4 pixels; mirror CIFAR-10, whose classes have no handedness (digits and shoes do)."""
    shift = torch.randint(0, 9, (2,), generator=rng).tolist()
    images = F.pad(images, (4, 4, 4, 4), mode="reflect")[:, :, shift[0] : shift[0] + 32, shift[1] : shift[1] + 32]
    mirror = (torch.rand(len(images), generator=rng) < 0.5) & (labels < 10)
    return torch.where(mirror[:, None, None, None], images.flip(3), images)


@torch.inference_mode()
def accuracy(net: TinyNet, images: Tensor, labels: Tensor) -> float:
    net.eval()
    hits = [net(x.float()).logits.argmax(dim=1) == y for x, y in zip(images.split(500), labels.split(500), strict=True)]
    return torch.cat(hits).double().mean().item()


def trained(data: Path, epochs: int, seed: int) -> TinyNet:
    """A network after `epochs` epochs over the train splits."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    train = [labelled(data / name / "train", 10 * i) for i, name in enumerate(SETS)]
    net = TinyNet()
    compiled = torch.compile(net)
    steps_per_epoch = sum(PER_EPOCH) // BATCH_SIZE
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=epochs * steps_per_epoch, pct_start=0.25)
    for epoch in range(epochs):
        start, total = time.perf_counter(), 0.0
        net.train()
        chosen = [torch.randperm(len(y), generator=rng)[:n] for (_, y), n in zip(train, PER_EPOCH, strict=True)]
        images = torch.cat([x[keep] for (x, _), keep in zip(train, chosen, strict=True)])
        labels = torch.cat([y[keep] for (_, y), keep in zip(train, chosen, strict=True)])
        order = torch.randperm(len(labels), generator=rng)[: steps_per_epoch * BATCH_SIZE]
        for batch in order.split(BATCH_SIZE):
            x = augmented(images[batch].float(), labels[batch], rng)
            loss = F.cross_entropy(compiled(x).logits, labels[batch], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        click.echo(f"epoch {epoch + 1}/{epochs}  loss {total / steps_per_epoch:.4f}  {time.perf_counter() - start:.0f} s")
    return net


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=EMBEDDED, show_default=True)
@click.option("--epochs", default=10, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--only-test", is_flag=True, help="Train nothing; print the accuracy of the file as it is.")
def main(data: Path, out: Path, epochs: int, seed: int, only_test: bool) -> None:
    if not only_test:
        state = trained(data, epochs, seed).state_dict()
        halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
        about = {"seed": str(seed), "epochs": str(epochs), "sets": ",".join(SETS), "torch": torch.__version__}
        save_file(halves, out, metadata=about)
    stored = TinyNet()
    stored.load_state_dict(load_file(out))
    click.echo(f"{sum(parameter.numel() for parameter in stored.parameters()):,} parameters, {out.stat().st_size:,} bytes")
    for i, name in enumerate(SETS):
        click.echo(f"{name:14} test accuracy {accuracy(stored, *labelled(data / name / 'test', 10 * i)):.4f}")


if __name__ == "__main__":
    main()
