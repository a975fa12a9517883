"""Generators that are files: the same pictures as from the same network in Python, nothing guessed, nothing run unasked."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import ganeval
from conftest import MeanColor
from ganeval import InputError, open_generator
from ganeval.cli import main
from ganeval.generators.drawn import Latents
from ganeval.images import Seen, to_uint8
from ganeval.images.batch import range_to_uint8
from ganeval.images.png import write_pngs
from pictures import as_tensor, pictures

NUM, Z = 300, 8  # more than a block of latents
REAL = as_tensor(pictures(9, (32, 32)))


class Net(nn.Module):
    """z [batch, 8] or [batch, 8, 1, 1] → pictures [batch, 3, 4, 4] in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.z_dim = Z
        self.weight = nn.Parameter(torch.randn(Z, 48, generator=torch.Generator().manual_seed(1)))

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(z.flatten(1) @ self.weight).view(-1, 3, 4, 4)


@pytest.fixture(scope="module")
def net() -> Net:
    return Net()


@pytest.fixture(scope="module")
def script(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "g.pt"
    torch.jit.script(net).save(str(path))
    return path


@pytest.fixture(scope="module")
def graph(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(net, tmp_path_factory.mktemp("graph") / "g.onnx")


def exported(net: Net, path: Path, *, batch: int | str = "batch", z: int | str = Z) -> Path:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("MatMul", ["z", "weight"], ["product"]),
        helper.make_node("Tanh", ["product"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["images"]),
    ]
    constants = [
        numpy_helper.from_array(net.weight.detach().numpy(), "weight"),
        numpy_helper.from_array(torch.tensor([-1, 3, 4, 4]).numpy(), "shape"),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("z", [batch, z]), ("images", [batch, 3, 4, 4]))
    ]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], constants), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def drawn(net: Net, seed: int = 0) -> Tensor:
    with torch.no_grad():
        return to_uint8(net(Latents((Z,), seed)(range(NUM))))


def levels(source: Any, batch_size: int = 32) -> Tensor:
    return torch.cat(list(source.batches(Seen(), batch_size=batch_size)))


def error_of(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        levels(open_generator(*arguments, **{"num_images": NUM, "value_range": (-1, 1), "trust": True, **options}))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def near(a: Tensor, b: Tensor) -> bool:
    """Equal but for rounding: a product of 8 terms in another order moves a value by about 1e-7, a gray level is 8e-3."""
    differences = (a.int() - b.int()).abs()
    return differences.max().item() <= 1 and (differences > 0).double().mean().item() < 1e-3


def test_a_script_scores_as_its_pictures_in_a_folder_bit_for_bit(script: Path, tmp_path: Path, net: Net) -> None:
    source = open_generator(script, num_images=NUM, value_range=(-1, 1), trust=True)
    images = levels(source)
    assert near(images, drawn(net))
    write_pngs(tmp_path, {f"{index:06d}": image for index, image in enumerate(images)})
    reports = [ganeval.evaluate(REAL, fake, metrics=("fid", "kid"), subset_size=9, extractor=MeanColor()) for fake in (source, tmp_path)]
    assert reports[0].scores == reports[1].scores
    made = reports[0].provenance["fake"]
    assert made["source"] == "torchscript"
    assert made["generator"]["z_dim"] == [Z]
    assert made["generator"]["range"] == (-1, 1)


def test_a_graph_makes_the_pictures_of_the_network(graph: Path, net: Net) -> None:
    assert near(levels(open_generator(graph, num_images=NUM, value_range=(-1, 1))), drawn(net))
    assert near(levels(open_generator(graph, num_images=NUM, value_range=(-1, 1), seed=3)), drawn(net, seed=3))


def test_pictures_depend_on_the_seed_and_not_on_batches_or_parts(script: Path) -> None:
    source = open_generator(script, num_images=NUM, value_range=(-1, 1), trust=True)
    images = levels(source)
    assert near(levels(source, batch_size=7), images)
    assert near(levels(source.part(100, 280)), images[100:280])
    assert not near(levels(open_generator(script, num_images=NUM, value_range=(-1, 1), trust=True, seed=1)), images)
    shorter = open_generator(script, num_images=40, value_range=(-1, 1), trust=True)
    assert near(levels(shorter), images[:40])


def test_a_graph_of_batches_of_one_size_is_filled_up(net: Net, tmp_path: Path) -> None:
    path = exported(net, tmp_path / "g.onnx", batch=7)
    assert near(levels(open_generator(path, num_images=NUM, value_range=(-1, 1))), drawn(net))


def test_the_shape_of_latents_is_read_or_asked_for(net: Net, graph: Path, tmp_path: Path) -> None:
    assert "takes latents of shape [8], not [9]" in error_of(graph, z_dim=9)
    open_ended = exported(net, tmp_path / "g.onnx", z="size")
    assert "does not state its z_dim; say it: --z-dim 100" in error_of(open_ended)
    assert near(levels(open_generator(open_ended, num_images=NUM, value_range=(-1, 1), z_dim=Z)), drawn(net))
    traced = tmp_path / "traced.ts"
    torch.jit.trace(net, torch.zeros(2, Z, 1, 1)).save(str(traced))
    assert "does not state its z_dim" in error_of(traced)
    shaped = levels(open_generator(traced, num_images=NUM, value_range=(-1, 1), z_dim=(Z, 1, 1), trust=True))
    assert near(shaped, drawn(net))
    assert "fails for z" in error_of(traced, z_dim=5)


def test_a_range_is_stated_and_held(script: Path) -> None:
    assert "gives floats; say the range of its pictures: --range -1,1" in error_of(script, value_range=None)
    assert "floats in [0, 1], got values from -1" in error_of(script, value_range=(0, 1))
    assert "from the darkest value to the brightest, got 1,-1" in error_of(script, value_range=(1, -1))


def test_what_rounds_to_black_or_white_is_taken_as_that_and_nothing_beyond() -> None:
    assert range_to_uint8(torch.tensor([-0.4, 0.0, 254.6, 255.4]), 0, 255).tolist() == [0, 0, 255, 255]
    for value in (-0.6, 255.6, float("nan")):
        with pytest.raises(InputError, match="the stated range is for floats in"):
            range_to_uint8(torch.tensor([value]), 0, 255)
    values = torch.rand(1000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(range_to_uint8(values, -1, 1), to_uint8(values))


def test_a_script_is_run_only_if_it_is_trusted_and_other_pickles_never(script: Path, net: Net, tmp_path: Path) -> None:
    assert "is TorchScript, a program" in error_of(script, trust=False)
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    for name in ("weights.pt", "stylegan.pkl"):
        (tmp_path / "stylegan.pkl").write_bytes(pickle.dumps({"G_ema": 1}))
        assert "weights lack the network, and a pickle (as of StyleGAN) holds code that is not run; export it" in error_of(tmp_path / name)
    assert "does not exist" in error_of(tmp_path / "nothing.onnx")


def test_a_damaged_graph_and_one_of_two_inputs_are_refused(graph: Path, tmp_path: Path) -> None:
    (tmp_path / "half.onnx").write_bytes(graph.read_bytes()[:200])
    assert "is not a readable ONNX file" in error_of(tmp_path / "half.onnx")


@pytest.mark.slow  # seconds of imports
def test_a_pipeline_makes_the_same_pictures_in_batches_of_any_size(tmp_path: Path) -> None:
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(8, 8), down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2,
        norm_num_groups=4, layers_per_block=1,
    )  # fmt: skip
    # Of one step: through many, nets that were not trained make other pictures of sums in another order.
    diffusers.ConsistencyModelPipeline(unet, diffusers.CMStochasticIterativeScheduler()).save_pretrained(tmp_path / "pipe")
    source = open_generator(f"diffusers:{tmp_path}/pipe", num_images=5, device="cpu")
    images = levels(source, batch_size=5)
    assert images.shape == (5, 3, 8, 8)
    assert all((one.int() - other.int()).abs().max() > 1 for one, other in pairwise(images))
    assert (levels(source, batch_size=2).int() - images.int()).abs().max() <= 1
    assert "gives pictures in [0, 1], not in [-1, 1]" in error_of(f"diffusers:{tmp_path}/pipe")
    assert "is no pipeline: there is no model_index.json" in error_of(f"diffusers:{tmp_path}")


def command(*arguments: str) -> Any:
    return CliRunner().invoke(main, [*arguments, "--extractor", "tiny", "--device", "cpu"])


def test_the_command_line_scores_a_generator(script: Path, folders: tuple[Path, Path]) -> None:
    real = str(folders[0])
    done = command("fid", real, str(script), "-n", "40", "--range", "-1,1", "--trust", "--json")
    assert done.exit_code == 0, done.output
    source = open_generator(script, num_images=40, value_range=(-1, 1), trust=True, device="cpu")
    assert f'"value": {ganeval.fid(real, source, extractor="tiny", device="cpu")}' in done.output
    for arguments, why in (
        ((str(script),), "say how many images to draw with -n 50000"),
        ((str(script), "-n", "40"), "if you trust it, add --trust"),
        ((str(script), "-n", "40", "--trust", "--range", "a"), "'a' is not understood; write --range -1,1"),
        ((str(script), "-n", "40", "--trust", "--range", "1"), "'1' is no range"),
        ((real, "-n", "40"), "--num-images says how a generator in a file draws"),
        ((real, "--trust"), "--trust says how a generator in a file draws"),
    ):
        failed = command("fid", real, *arguments)
        assert failed.exit_code == 1
        assert why in failed.output
        assert "Traceback" not in failed.output
