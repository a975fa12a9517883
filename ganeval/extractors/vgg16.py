"""VGG16 (Simonyan and Zisserman 2015), by torchvision: the network of precision and recall (Kynkäänniemi et al. 2019)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torchvision import models

from ganeval.conventions import Convention
from ganeval.extractors.loading import IMAGENET, NetworkExtractor, check_convention, filled, loaded
from ganeval.extractors.protocol import Activations
from ganeval.progress import Progress, silent
from ganeval.published import VGG16
from ganeval.resize import resized, tf1_bilinear

SIDE, DIM = 224, 4096
FC2 = 5  # layers of torchvision's classifier up to the ReLU of the second fully connected one


def normalized(images: Tensor) -> Tensor:
    """uint8 [batch, 3, height, width] → float32 [batch, 3, 224, 224], as torch-fidelity feeds it."""
    mean, deviation = (torch.tensor([255 * value for value in values], device=images.device).view(1, 3, 1, 1) for values in IMAGENET)
    return (resized(images, SIDE, SIDE, tf1_bilinear) - mean) / deviation


def activations(net: models.VGG, x: Tensor) -> Activations:
    """4096 features of the second fully connected layer after its ReLU, and the logits of ImageNet's 1000 classes."""
    features = net.classifier[:FC2](net.avgpool(net.features(x)).flatten(1))
    return Activations(features, net.classifier[FC2:](features))


def load(*, convention: Convention, weights_file: Path | None, device: torch.device, progress: Progress = silent) -> NetworkExtractor:
    """The extractor with torchvision's weights, fetched if need be, or with those of `weights_file`.

    Raises:
        InputError: the weights cannot be had, or are not of this network; or a convention that says how Inception is fed.
    """
    check_convention("vgg16", convention)
    preprocessing = f"tf1-bilinear {SIDE}x{SIDE}, (x/255-mean)/deviation of ImageNet"
    found = loaded(VGG16, weights_file, preprocessing=preprocessing, progress=progress)
    net = filled(lambda: models.vgg16(init_weights=False), found, device=device, what="torchvision's VGG16")
    return NetworkExtractor("vgg16", DIM, prepare=normalized, net=lambda x: activations(net, x), identity=found.identity)
