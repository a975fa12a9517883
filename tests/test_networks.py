"""VGG16, DINOv2 and CLIP: fed as their sources feed them, and the same features as other tools from the same weights.

The public weights are not at hand; each network gets stand-ins in their format, and so does the tool it is compared with. The limit of
1e-5 relative was set before the first run, as for Inception (tests/test_peers.py).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from click.testing import CliRunner
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import ganeval
from ganeval import CONVENTIONS, FeatureExtractor, InputError
from ganeval.cli import main
from ganeval.extractors import clip, dinov2, load_extractor, vgg16
from ganeval.extractors.loading import NetworkExtractor
from ganeval.files import sha256_of
from ganeval.forward import inference
from ganeval.published import WEIGHTS, WeightsFile
from pictures import as_tensor, pictures
from standin_networks import clip_state, dinov2_state, saved, vgg16_state

CPU = torch.device("cpu")
TTUR = CONVENTIONS["ttur"]
STATES: dict[str, Callable[[], dict[str, Tensor]]] = {
    "vgg16": vgg16_state,
    "dinov2-s": lambda: dinov2_state(384, 12),
    "clip": lambda: clip_state(768, 12, 32, 224, 512),
}
LARGE: dict[str, Callable[[], dict[str, Tensor]]] = {
    "dinov2": lambda: dinov2_state(1024, 24),
    "dinov2-b": lambda: dinov2_state(768, 12),
    "clip-l-336": lambda: clip_state(1024, 24, 14, 336, 768),
}
NEEDS = {"dinov2": "timm", "dinov2-b": "timm", "dinov2-s": "timm", "clip": "open_clip", "clip-l-336": "open_clip"}
DIMS = {"vgg16": 4096, "dinov2": 1024, "dinov2-b": 768, "dinov2-s": 384, "clip": 512, "clip-l-336": 768}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("networks")
    return {name: saved(state(), folder / f"{name}.pth") for name, state in STATES.items()}


def extractor(name: str, file: Path) -> FeatureExtractor:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"pip install '.[{name.split('-')[0]}]'")
    return load_extractor(name, convention=TTUR, weights_file=file, device=CPU)


def features(net: FeatureExtractor, images: Tensor) -> Tensor:
    with inference(net, CPU):
        return net(images).features


def deviation(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, relative to the largest feature."""
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


# ------------------------------------------------------------------ of all


@pytest.mark.parametrize("name", STATES)
def test_features_have_their_dimension_differ_between_pictures_and_do_not_depend_on_the_batch(name: str, files: dict[str, Path]) -> None:
    images = as_tensor(pictures(2, (40, 50)))
    net = extractor(name, files[name])
    whole = features(net, images)
    assert (net.name, net.dim, whole.shape) == (name, DIMS[name], (2, DIMS[name]))
    assert (whole[0] - whole[1]).abs().max() > 1e-3
    torch.testing.assert_close(features(net, images[:1]), whole[:1], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_the_large_ones_load_and_run(name: str, tmp_path: Path) -> None:
    net = extractor(name, saved(LARGE[name](), tmp_path / "x.pth"))
    found = features(net, as_tensor(pictures(1, (32, 32))))
    assert found.shape == (1, net.dim) == (1, DIMS[name])
    assert found.isfinite().all()


@pytest.mark.parametrize("name", STATES)
def test_identity_names_weights_and_preprocessing(name: str, files: dict[str, Path]) -> None:
    net = extractor(name, files[name])
    assert isinstance(net, NetworkExtractor)
    assert net.identity.weights_sha256 == sha256_of(files[name])
    assert not net.identity.standard
    assert "224" in net.identity.preprocessing


@pytest.mark.parametrize("name", STATES)
def test_weights_of_another_network_are_refused(name: str, tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth does not hold the weights of (torchvision's VGG16|DINOv2 ViT-S/14|CLIP ViT)"):
        extractor(name, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"the weights file .*none\.pth does not exist"):
        extractor(name, tmp_path / "none.pth")


@pytest.mark.parametrize(("name", "package"), [("dinov2", "timm"), ("clip", "open_clip")])
def test_a_package_that_is_not_installed_is_one_sentence(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not
    with pytest.raises(InputError) as caught:
        load_extractor(name, convention=TTUR, weights_file=None, device=CPU)
    assert str(caught.value) == f"the extractor {name} needs {package}; install it with: pip install 'ganeval[{name}]'"


@pytest.mark.parametrize("name", DIMS)
def test_a_convention_of_inception_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"says how Inception is fed; the extractor {name} has its own"):
        load_extractor(name, convention=CONVENTIONS["clean-fid"], weights_file=None, device=CPU)


def test_scores_carry_the_network_s_name_and_the_mark_of_other_weights(files: dict[str, Path]) -> None:
    extractor("clip", files["clip"])  # skips where it cannot be had
    real, fake = as_tensor(pictures(4, (32, 32))), as_tensor(pictures(4, (32, 32), skip=4))
    report = ganeval.evaluate(real, fake, extractor="clip", weights=files["clip"])
    assert list(report.scores) == ["fd_clip"]
    assert "not the standard weights of clip" in str(report)
    with pytest.raises(InputError, match="no class logits"):
        ganeval.inception_score(fake, extractor="clip", weights=files["clip"], num_splits=2)


def test_missing_weights_are_explained_for_any_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GANEVAL_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "GANEVAL_MIRROR"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # also where there is internet
    with pytest.raises(InputError) as caught:
        load_extractor("vgg16", convention=TTUR, weights_file=None, device=CPU)
    for needed in ("the weights of vgg16 are not", "553,433,881 bytes", "ganeval weights fetch vgg16 --mirror", "--extractor tiny"):
        assert needed in str(caught.value)
    assert "Inception" not in str(caught.value)


def test_the_command_line_lists_all_networks_and_all_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GANEVAL_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    table = CliRunner().invoke(main, ["extractors"]).output
    for name, dim in DIMS.items():
        row = next(line for line in table.splitlines() if line.split()[:1] == [name])
        assert row.split()[1] == str(dim)
        assert f"ganeval weights fetch {name}" in row
    listed = CliRunner().invoke(main, ["weights", "list"]).output
    for item in WEIGHTS.values():
        assert item.sha256 in listed
    assert "file    ViT-B-32.pt\n" in listed  # whose size nobody states


# ------------------------------------------------------------------ how each is fed


def flat(level: int) -> Tensor:
    return torch.full((1, 3, 40, 50), level, dtype=torch.uint8)


@pytest.mark.parametrize("prepare", [vgg16.normalized, dinov2.normalized])
def test_imagenet_s_mean_and_deviation_are_taken_out(prepare: Callable[[Tensor], Tensor]) -> None:
    for level in (0, 255):
        expected = [(level / 255 - mean) / deviation for mean, deviation in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
        fed = prepare(flat(level))
        assert fed.shape == (1, 3, 224, 224)
        torch.testing.assert_close(fed.mean(dim=(0, 2, 3)), torch.tensor(expected), rtol=1e-5, atol=1e-5)


def as_pillow(image: Tensor) -> Image.Image:
    return Image.fromarray(image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("size", [(32, 32), (300, 300), (256, 256)])
def test_dinov2_is_fed_what_torchvision_makes_of_pillow_s_picture(size: tuple[int, int]) -> None:
    from torchvision import transforms

    image = as_tensor(pictures(1, size))[0]
    theirs = transforms.Compose(
        [
            transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )(as_pillow(image))
    assert torch.equal(dinov2.normalized(image[None])[0], theirs)


@pytest.mark.parametrize("size", [(32, 32), (300, 300), (448, 300), (300, 500), (101, 57), (224, 224), (225, 224)])
def test_clip_takes_the_middle_of_the_picture_brought_to_224(size: tuple[int, int]) -> None:
    from torchvision.transforms import functional as T

    image = as_tensor(pictures(1, (size[1], size[0])))[0]
    height, width = T.resize(as_pillow(image), 224, T.InterpolationMode.BICUBIC).size[::-1]
    columns = as_pillow(image).resize((width, image.shape[1]), Image.Resampling.BICUBIC)  # the width first, in every Pillow
    theirs = T.center_crop(columns.resize((width, height), Image.Resampling.BICUBIC), [224, 224])
    assert torch.equal(clip.resized_then_cropped(image[None], 224)[0], torch.from_numpy(np.array(theirs)).permute(2, 0, 1))


@pytest.mark.parametrize("size", [(32, 32), (500, 375), (333, 401)])
def test_cmmd_s_clip_takes_the_middle_square_and_brings_it_to_336(size: tuple[int, int]) -> None:
    image = as_tensor(pictures(1, size))[0]
    height, width = image.shape[1:]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    theirs = as_pillow(image).crop((left, top, left + side, top + side)).resize((336, 336), Image.Resampling.BICUBIC)
    assert torch.equal(clip.cropped_then_resized(image[None], 336)[0], torch.from_numpy(np.array(theirs)).permute(2, 0, 1))


# ------------------------------------------------------------------ the networks themselves


def written_out(state: dict[str, Tensor], x: Tensor, *, heads: int) -> Tensor:
    """DINOv2's class token by its paper and the authors' names, without any library's transformer."""
    tokens = F.conv2d(x, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=14).flatten(2).mT
    positions = state["pos_embed"]
    square = positions[:, 1:].unflatten(1, (37, 37)).permute(0, 3, 1, 2)
    square = F.interpolate(square, scale_factor=(16.1 / 37, 16.1 / 37), mode="bicubic")
    positions = torch.cat([positions[:, :1], square.flatten(2).mT], dim=1)
    x = torch.cat([state["cls_token"].expand(len(x), -1, -1), tokens], dim=1) + positions

    def linear(name: str, value: Tensor) -> Tensor:
        return value @ state[f"{name}.weight"].mT + state[f"{name}.bias"]

    def norm(name: str, value: Tensor) -> Tensor:
        centered = value - value.mean(dim=-1, keepdim=True)
        return centered / (centered.square().mean(dim=-1, keepdim=True) + 1e-6).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]

    def attention(name: str, value: Tensor) -> Tensor:
        q, k, v = linear(f"{name}.qkv", value).unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)  # each [batch, heads, tokens, dim]
        shares = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
        return linear(f"{name}.proj", (shares @ v).transpose(1, 2).flatten(2))

    for index in range(12):
        block = f"blocks.{index}"
        x = x + state[f"{block}.ls1.gamma"] * attention(f"{block}.attn", norm(f"{block}.norm1", x))
        x = x + state[f"{block}.ls2.gamma"] * linear(f"{block}.mlp.fc2", F.gelu(linear(f"{block}.mlp.fc1", norm(f"{block}.norm2", x))))
    return norm("norm", x)[:, 0]


def test_dinov2_is_the_network_of_its_paper(files: dict[str, Path]) -> None:
    images = as_tensor(pictures(2, (32, 32)))
    ours = features(extractor("dinov2-s", files["dinov2-s"]), images)
    state = {name: value.double() for name, value in torch.load(files["dinov2-s"], weights_only=True).items()}
    with torch.inference_mode():
        assert deviation(ours.double(), written_out(state, dinov2.normalized(images).double(), heads=6)) < 1e-5


def test_position_embeddings_of_the_size_that_is_needed_stay_as_they_are() -> None:
    positions = torch.randn(1, 257, 8)
    assert torch.equal(dinov2.at_grid(positions), positions)
    assert dinov2.at_grid(torch.ones(1, 1370, 8)).shape == (1, 257, 8)


def test_vgg16_offers_the_layer_before_the_classes_and_the_classes(files: dict[str, Path]) -> None:
    images = as_tensor(pictures(2, (32, 32)))
    net = extractor("vgg16", files["vgg16"])
    whole = torchvision.models.vgg16(init_weights=False).eval()
    whole.load_state_dict(torch.load(files["vgg16"], weights_only=True))
    with inference(net, CPU):
        found = net(images)
        torch.testing.assert_close(found.logits, whole(vgg16.normalized(images)), rtol=1e-5, atol=1e-5)
    assert (found.features >= 0).all()


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("size", [(32, 32), (500, 375)])
def test_vgg16_features_equal_those_of_torch_fidelity(size: tuple[int, int], files: dict[str, Path]) -> None:
    pytest.importorskip("torch_fidelity", reason="peers are not installed: pip install '.[peers]'")
    from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16

    images = as_tensor(pictures(2, size))
    theirs = FeatureExtractorVGG16("vgg16", ["fc2_relu"], feature_extractor_weights_path=str(files["vgg16"]))
    with torch.inference_mode():
        assert deviation(features(extractor("vgg16", files["vgg16"]), images), theirs(images)[0]) < 1e-5


@pytest.mark.slow
@pytest.mark.peers
def test_clip_is_the_network_of_torch_fidelity(files: dict[str, Path]) -> None:
    pytest.importorskip("torch_fidelity", reason="peers are not installed: pip install '.[peers]'")
    from torch_fidelity.feature_extractor_clip import build_model

    net = extractor("clip", files["clip"])
    assert isinstance(net, NetworkExtractor)
    # OpenAI's file is in float16, to which torch-fidelity rounds whatever it is given.
    half = {name: value.half().float() for name, value in torch.load(files["clip"], weights_only=True).items()}
    rounded = extractor("clip", saved(half, files["clip"].with_name("half.pth")))
    x = net.prepare(as_tensor(pictures(2, (32, 32))))
    assert isinstance(rounded, NetworkExtractor)
    with torch.inference_mode():
        theirs = build_model(dict(half), torch.float32).visual(x)
        assert deviation(rounded.network(x).features, theirs) < 1e-5


# ------------------------------------------------------------------ CLIP's archive, a program that holds tensors


class Archive(nn.Module):
    """The layers of a CLIP state dict, to be written as TorchScript."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, x: Tensor) -> Tensor:
        return x + 1  # what it does matters to nobody: only its tensors are taken


@pytest.fixture(scope="module")
def archive(files: dict[str, Path]) -> Path:
    open_clip = pytest.importorskip("open_clip", reason="pip install '.[clip]'")
    net = clip.built(open_clip, clip.B_32)
    net.load_state_dict(clip.picture_half(torch.load(files["clip"], weights_only=True)))
    path = files["clip"].with_name("ViT-B-32.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; OpenAI's files are what they are
        torch.jit.trace(Archive(net.eval()), torch.zeros(1)).half().save(path)
    return path


@pytest.mark.filterwarnings("error")
def test_the_published_archive_is_read_whatever_its_place_and_any_other_is_not_run(archive: Path, files: dict[str, Path]) -> None:
    published = WeightsFile(name="clip", filename="x", sha256=sha256_of(archive), urls=(), about="", torchscript=True)
    standard = clip.load(
        convention=TTUR, weights_file=archive, device=CPU, variant=clip.B_32._replace(published=published)
    )  # as if it were OpenAI's
    assert standard.identity.standard
    images = as_tensor(pictures(2, (32, 32)))
    torch.testing.assert_close(features(standard, images), features(extractor("clip", files["clip"]), images), rtol=0.05, atol=0.05)
    with pytest.raises(InputError, match="can be loaded safely"):
        extractor("clip", archive)
