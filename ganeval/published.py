"""The published weights: files of other people's, each pinned by its sha256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HUB = ".cache/torch/hub/checkpoints"  # where torch.hub, and so torchvision and most tools, leave what they fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFile:
    """A published file, pinned by its sha256."""

    name: str
    filename: str
    size: int | None = None  # bytes; None where the publisher states only the digest
    sha256: str
    urls: tuple[str, ...]
    also_at: tuple[str, ...] = ()  # where other tools leave the same file, below the home folder
    about: str
    torchscript: bool = False  # a program that holds tensors, not a state dict

    @property
    def in_words(self) -> str:
        """What tells it from other files."""
        return f"{'' if self.size is None else f'{self.size:,} bytes, '}sha256 {self.sha256}"


INCEPTION = WeightsFile(
    name="inception",
    filename="pt_inception-2015-12-05-6726825d.pth",
    size=95_628_359,
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    urls=(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    ),
    also_at=(
        f"{HUB}/pt_inception-2015-12-05-6726825d.pth",  # pytorch-fid
        f"{HUB}/weights-inception-2015-12-05-6726825d.pth",  # torch-fidelity, torchmetrics
    ),
    about="Inception-v3 of 2015-12-05, the network of FID and IS",
)


def _torchvision(name: str, filename: str, *, size: int, sha256: str, about: str) -> WeightsFile:
    url = f"https://download.pytorch.org/models/{filename}"
    return WeightsFile(name=name, filename=filename, size=size, sha256=sha256, urls=(url,), also_at=(f"{HUB}/{filename}",), about=about)


VGG16 = _torchvision(
    "vgg16",
    "vgg16-397923af.pth",
    size=553_433_881,
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    about="torchvision's VGG16, the network of precision and recall, and of LPIPS and PPL",
)
ALEXNET = _torchvision(
    "alexnet",
    "alexnet-owt-7be5be79.pth",
    size=244_408_911,
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    about="torchvision's AlexNet, the other network of LPIPS",
)


def _dinov2(name: str, letter: str, *, size: int, sha256: str, about: str) -> WeightsFile:
    filename = f"dinov2_vit{letter}14_pretrain.pth"
    url = f"https://dl.fbaipublicfiles.com/dinov2/dinov2_vit{letter}14/{filename}"
    return WeightsFile(name=name, filename=filename, size=size, sha256=sha256, urls=(url,), also_at=(f"{HUB}/{filename}",), about=about)


DINOV2_L = _dinov2(
    "dinov2",
    "l",
    size=1_217_586_395,
    sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    about="DINOv2 ViT-L/14, the network of FD-DINOv2",
)
DINOV2_B = _dinov2(
    "dinov2-b",
    "b",
    size=346_378_731,
    sha256="0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
    about="DINOv2 ViT-B/14",
)
DINOV2_S = _dinov2(
    "dinov2-s",
    "s",
    size=88_283_115,
    sha256="b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
    about="DINOv2 ViT-S/14",
)


def _clip(name: str, filename: str, *, sha256: str, also_at: tuple[str, ...] = (), about: str) -> WeightsFile:
    url = f"https://openaipublic.azureedge.net/clip/models/{sha256}/{filename}"
    also_at = (f".cache/clip/{filename}", *also_at)  # the first is where the packages clip and open_clip leave it
    return WeightsFile(name=name, filename=filename, sha256=sha256, urls=(url,), also_at=also_at, about=about, torchscript=True)


_B_32 = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
_L_336 = "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"
CLIP_B_32 = _clip(
    "clip",
    "ViT-B-32.pt",
    sha256=_B_32,
    also_at=(f"{HUB}/clip-vit-b-32-{_B_32}.pt",),  # torch-fidelity
    about="CLIP ViT-B/32, the network of CLIP-FID",
)
CLIP_L_336 = _clip(
    "clip-l-336",
    "ViT-L-14-336px.pt",
    sha256=_L_336,
    also_at=(f"{HUB}/clip-vit-l-14-336px-{_L_336}.pt",),
    about="CLIP ViT-L/14 at 336 pixels, the network of CMMD",
)

WEIGHTS: Mapping[str, WeightsFile] = MappingProxyType(
    {item.name: item for item in (INCEPTION, VGG16, ALEXNET, DINOV2_L, DINOV2_B, DINOV2_S, CLIP_B_32, CLIP_L_336)}
)
