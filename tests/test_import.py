"""ganeval import: weights of other projects make the same pictures here, and what does not fit is refused by name."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor, nn

import foreign_nets
from ganeval.cli import main
from ganeval.errors import InputError
from ganeval.images.png import write_png
from ganeval.training.batch import Batch
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint
from ganeval.training.imported import import_run
from ganeval.training.sampling import sampling
from ganeval.training.trained import Trained

pytestmark = pytest.mark.usefixtures("one_thread")

CLOSE = 1e-6  # of tanh: the same sums of floats, where halves are swapped in another order


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def refused(*arguments: object) -> str:
    """The one sentence."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    message = result.stderr.removeprefix("Error: ").strip()
    assert "\n" not in message
    return message


def lively(net: nn.Module) -> nn.Module:
    """Gains and biases that are not those of the beginning."""
    for name, parameter in net.named_parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, 1.0 if name.endswith("weight") else 0.0, 0.2)
    return net


def saved(net: nn.Module, path: Path, *, prefix: str = "", **changes: Any) -> Path:
    torch.save({f"{prefix}{name}": value for name, value in net.state_dict().items()}, path, **changes)
    return path


def pictures(num: int, side: int, channels: int = 3) -> Tensor:
    return torch.rand(num, channels, side, side, generator=torch.Generator().manual_seed(5)) * 2 - 1


@torch.no_grad()
def by_theirs(net: nn.Module, x: Tensor) -> Tensor:
    """As their tests run it: in training mode, and picture by picture where a batch would have statistics together."""
    together = any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    out = torch.cat([net.train()(one) for one in x.split(1 if together else len(x))])
    assert out.std() > 0.01  # not a constant, which any net would make
    return out


@torch.no_grad()
def by_ours(folder: Path, x: Tensor, labels: Tensor | None = None, *, backward: bool = False) -> Tensor:
    trained = Trained.opened(folder, device="cpu")
    with sampling(trained.model) as rng:
        model = trained.model
        return model.fake_sources(Batch(x, labels), rng) if backward else model.fakes(Batch(x, labels, x), rng)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(3)


@pytest.mark.parametrize(("blocks", "channels", "statistics"), [(9, 3, False), (6, 1, True)])
def test_a_cyclegan_makes_the_same_pictures_both_ways(blocks: int, channels: int, statistics: bool, tmp_path: Path) -> None:
    nets = [foreign_nets.resnet(blocks=blocks, channels=channels, statistics=statistics) for _ in range(2)]
    files = [saved(net, tmp_path / f"{index}.pth") for index, net in enumerate(nets)]
    done = run("import", "cyclegan", *files, "--image-size", 32, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    x = pictures(3, 32, channels)
    for net, backward in zip(nets, (False, True), strict=True):
        torch.testing.assert_close(by_ours(tmp_path / "run", x, backward=backward), by_theirs(net, x), atol=CLOSE, rtol=0)


@pytest.mark.parametrize(("levels", "batch_norm"), [(5, True), (6, False), (7, True)])
def test_a_pix2pix_without_dropout_makes_the_same_pictures(levels: int, batch_norm: bool, tmp_path: Path) -> None:
    net = lively(foreign_nets.unet(levels, batch_norm=batch_norm))
    done = run("import", "pix2pix", saved(net, tmp_path / "g.pth"), "--no-dropout", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    x = pictures(2, 2**levels)
    torch.testing.assert_close(by_ours(tmp_path / "run", x), by_theirs(net, x), atol=CLOSE, rtol=0)


@torch.no_grad()
def test_a_pix2pix_with_dropout_has_it_in_the_same_places(tmp_path: Path) -> None:
    net = lively(foreign_nets.unet(8, width=2))
    import_run("pix2pix", [saved(net, tmp_path / "g.pth")], tmp_path / "run", dropout=True)
    generator: Any = Trained.opened(tmp_path / "run", device="cpu").model.get_submodule("generator")
    x = pictures(1, 256)
    masks = generator.masks(1, device=x.device)
    theirs = [module for module in net.modules() if isinstance(module, foreign_nets.Mask)]
    assert [mask.shape[-1] for mask in masks] == [4, 8, 16]
    for module, mask in zip(theirs, masks, strict=True):  # both from the inside out
        module.mask = mask
    torch.testing.assert_close(generator(x, masks), by_theirs(net, x), atol=CLOSE, rtol=0)


@pytest.mark.parametrize(("num_labels", "blocks"), [(5, 6), (1, 2)])
def test_a_stargan_makes_the_same_pictures(num_labels: int, blocks: int, tmp_path: Path) -> None:
    net = lively(foreign_nets.stargan(num_labels, blocks=blocks))
    names = ",".join("abcde"[:num_labels])
    file = saved(net, tmp_path / "200000-G.ckpt")
    done = run("import", "stargan", file, "--image-size", 32, "--attributes", names, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    x = pictures(4, 32)
    labels = torch.randint(2, (4, num_labels)).float()
    together = torch.cat([x, labels[:, :, None, None].expand(-1, -1, 32, 32)], dim=1)
    torch.testing.assert_close(by_ours(tmp_path / "run", x, labels), by_theirs(net, together), atol=CLOSE, rtol=0)


@pytest.mark.parametrize(
    ("prefix", "changes"),
    [("module.", {}), ("_orig_mod.", {}), ("module._orig_mod.", {}), ("", {"_use_new_zipfile_serialization": False})],
)
def test_wrappers_and_old_files_are_the_same_network(prefix: str, changes: dict[str, Any], tmp_path: Path) -> None:
    net = foreign_nets.resnet(blocks=1)
    import_run("cyclegan", [saved(net, tmp_path / "g.pth", prefix=prefix, **changes)], tmp_path / "run", image_size=32)
    x = pictures(1, 32)
    torch.testing.assert_close(by_ours(tmp_path / "run", x), by_theirs(net, x), atol=CLOSE, rtol=0)


Change = Callable[[dict[str, Tensor]], Mapping[str, object]]
WRONG: dict[str, tuple[Change, str]] = {
    "missing": (lambda s: {k: v for k, v in s.items() if k != "model.4.bias"}, "1 parameters are missing (model.4.bias)"),
    "odd": (
        lambda s: s | {f"model.{i}.filt": torch.zeros(1) for i in range(5)},
        "5 parameters are odd (model.0.filt, model.1.filt, model.2",
    ),
    "shape": (lambda s: s | {"model.4.weight": torch.zeros(8, 4, 5, 5)}, "model.4.weight [8, 4, 5, 5] instead of [8, 4, 3, 3]"),
    "whole numbers": (
        lambda s: s | {"model.4.bias": torch.zeros(8, dtype=torch.int64)},
        "something else than finite numbers (model.4.bias)",
    ),
    "not finite": (lambda s: s | {"model.4.bias": torch.full((8,), torch.nan)}, "something else than finite numbers (model.4.bias)"),
    "two sides": (lambda s: s | {"model.1.weight": torch.zeros(4, 1, 7, 7)}, "makes pictures of 3 channels out of 1"),
    "no convolution": (lambda s: s | {"model.1.weight": torch.zeros(4)}, "model.1.weight has the shape [4]"),
    "no blocks": (lambda s: {k: v for k, v in s.items() if "conv_block" not in k}, "no residual blocks"),
    "another network": (lambda s: {f"blocks.{k}": v for k, v in s.items()}, "there is no model.1.weight, but blocks.model.1"),
    "nothing": (lambda s: {}, "there is no model.1.weight, but nothing at all"),
    "nested": (lambda s: {"state_dict": s, "epoch": 3}, "holds a dict, not a state dict"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_does_not_fit_is_refused_with_what_is_wrong(what: str, tmp_path: Path) -> None:
    change, said = WRONG[what]
    torch.save(change(foreign_nets.resnet(blocks=2).state_dict()), tmp_path / "g.pth")
    message = refused("import", "cyclegan", tmp_path / "g.pth", "--image-size", 32, "--out", tmp_path / "run")
    assert said in message
    assert not (tmp_path / "run").exists()


def test_a_network_with_dropout_inside_its_blocks_is_another_one(tmp_path: Path) -> None:
    file = saved(foreign_nets.resnet(blocks=6, dropout=True), tmp_path / "g.pth")
    message = refused("import", "cyclegan", file, "--image-size", 32, "--out", tmp_path / "run")
    assert "model.10.conv_block.6.weight" in message
    assert "--no_dropout" in message


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (pickle.dumps({"G_ema": print}), "network.pkl", "holds code (as those of StyleGAN do) and is not opened; score the pictures"),
        (pickle.dumps({"G_ema": print}), "g.pth", "can be loaded safely"),
        (b"", "g.pth", "can be loaded safely"),
        (b"no weights at all", "g.pth", "can be loaded safely"),
        (b"PK\x03\x04 cut off", "g.pth", "can be loaded safely"),
        (None, "g.pth", "does not exist"),
    ],
)
def test_what_is_no_state_dict_is_refused(content: bytes | None, name: str, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    message = refused("import", "cyclegan", tmp_path / name, "--image-size", 32)
    assert said in message


@pytest.mark.parametrize("model", ["mimicry", "studiogan", "dcgan"])
def test_networks_that_are_not_ours_are_shown_the_other_ways(model: str, tmp_path: Path) -> None:
    message = refused("import", model, tmp_path / "g.pth")
    assert "only of cyclegan, pix2pix, stargan" in message
    assert "ONNX or TorchScript" in message


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    nets = {
        "cyclegan": foreign_nets.resnet(blocks=1),
        "other": foreign_nets.resnet(blocks=2),
        "pix2pix": foreign_nets.unet(5),
        "stargan": foreign_nets.stargan(2, blocks=1),
    }
    return {name: saved(net, tmp_path / f"{name}.pth") for name, net in nets.items()}


ASKED = [
    ("cyclegan", "cyclegan", (), "give it as --image-size"),
    ("pix2pix", "pix2pix", (), "give --dropout, or --no-dropout"),
    ("pix2pix", "pix2pix", ("--dropout", "--image-size", "64"), "makes pictures of 32 pixels, not of 64"),
    ("pix2pix", "pix2pix", ("--dropout", "--data", "shapes"), "give --direction AtoB, or BtoA"),
    ("cyclegan", "cyclegan", ("--image-size", "32", "--dropout"), "cyclegan has no dropout"),
    ("cyclegan", "cyclegan", ("--image-size", "32", "--attributes", "a"), "has no attributes; leave --attributes out"),
    ("cyclegan", "cyclegan", ("--image-size", "18"), "divisible by 4"),
    ("cyclegan", "stargan", ("--image-size", "32"), "there is no model.1.weight, but main.0.weight"),
    ("cyclegan", "cyclegan cyclegan cyclegan", ("--image-size", "32"), "has 2 generators, got 3 files"),
    ("cyclegan", "cyclegan other", ("--image-size", "32"), "generators of different sizes"),
    ("stargan", "stargan", ("--image-size", "32"), "has 2 attributes, and not their names"),
    ("stargan", "stargan", ("--image-size", "32", "--attributes", "a,a"), "give 2 different ones as --attributes"),
    ("stargan", "stargan", ("--image-size", "32", "--attributes", "a,b", "--data", "shapes"), ""),
    ("stargan", "stargan", ("--image-size", "24", "--attributes", "a,b"), "16, 32, 64, 128 or 256"),
]


@pytest.mark.parametrize(("model", "given", "options", "said"), ASKED)
def test_what_a_file_does_not_say_is_asked_for(
    model: str, given: str, options: tuple[str, ...], said: str, files: dict[str, Path], tmp_path: Path
) -> None:
    chosen = [files[name] for name in given.split()]
    assert said in refused("import", model, *chosen, *options, "--out", tmp_path / "run", "--quiet")
    assert not (tmp_path / "run").exists()


def test_an_imported_run_says_so_translates_and_is_scored(files: dict[str, Path], tmp_path: Path) -> None:
    folder, photos = tmp_path / "run", tmp_path / "photos"
    photos.mkdir()
    write_png(photos / "one.png", torch.full((3, 32, 32), 99, dtype=torch.uint8))
    for part in ("train", "test"):
        (tmp_path / "data" / part).mkdir(parents=True)
        for index in range(8):
            write_png(tmp_path / "data" / part / f"{index}.png", torch.randint(256, (3, 32, 64)).byte())  # strips of two
    where = ["--data", tmp_path / "data", "--direction", "AtoB"]
    done = run("import", "pix2pix", files["pix2pix"], "--dropout", *where, "--out", folder, "--quiet")
    assert done.exit_code == 0, done.output

    imported = json.loads((folder / "config.json").read_text())["imported"]
    assert json.loads((folder / "config.json").read_text())["num_steps"] == 0
    assert imported["project"] == "junyanz/pytorch-CycleGAN-and-pix2pix"
    assert imported["files"]["generator"]["name"] == "pix2pix.pth"
    assert len(imported["files"]["generator"]["sha256"]) == 64
    (event,) = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert event["kind"] == "import"
    assert "not trained here" in event["message"]
    page = (folder / "report.html").read_text()
    assert "not trained here" in page
    assert "Not finished" not in page
    assert "lambda_l1" not in page  # nobody knows what it was trained with

    done = run("translate", folder, photos, "-o", tmp_path / "out", "--quiet", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "from the imported weights" in done.stdout
    assert (tmp_path / "out" / "one.png").exists()
    done = run("score", folder, "--against", "test", "--extractor", "tiny", "--json", "--quiet", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert {"fd_tiny", "psnr"} <= set(json.loads(done.stdout)["scores"])
    assert "imported weights" in next(iter(json.loads((folder / "scores.json").read_text())["reports"]))
    assert "it has no discriminator" in refused("train", "pix2pix", "--resume", folder, "--quiet")
    assert "exists; " in refused("import", "pix2pix", files["pix2pix"], "--dropout", "--out", folder)


def test_one_way_and_no_data_allow_what_they_can(files: dict[str, Path], tmp_path: Path) -> None:
    assert run("import", "cyclegan", files["cyclegan"], "--image-size", 32, "--out", tmp_path / "one").exit_code == 0
    (tmp_path / "photos").mkdir()
    write_png(tmp_path / "photos" / "1.png", torch.zeros(3, 32, 32, dtype=torch.uint8))
    assert run("translate", tmp_path / "one", tmp_path / "photos", "-o", tmp_path / "there", "--quiet").exit_code == 0
    back = refused("translate", tmp_path / "one", tmp_path / "photos", "-o", tmp_path / "back", "--backward", "--quiet")
    assert "without the way back" in back
    assert "without the way back" in refused("score", tmp_path / "one", "--quiet")

    both = [files["cyclegan"]] * 2
    assert run("import", "cyclegan", *both, "--image-size", 32, "--out", tmp_path / "two").exit_code == 0
    assert "import it again with --data" in refused("score", tmp_path / "two", "--quiet")


def test_a_checkpoint_from_before_a_setting_had_its_default(files: dict[str, Path], tmp_path: Path) -> None:
    folder = import_run("pix2pix", [files["pix2pix"]], tmp_path / "run", dropout=False)
    path = folder.checkpoint("last")
    state = load_checkpoint(path)
    del state["format"], state["model"]["config"]["lambda_l1"]
    save_checkpoint(path, state)
    Trained.opened(folder.path, device="cpu")
    state["model"]["config"]["lambda_l1"] = 7.0
    save_checkpoint(path, state)
    with pytest.raises(InputError, match=r"lambda_l1 = 7\.0"):
        Trained.opened(folder.path, device="cpu")
