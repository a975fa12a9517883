"""Files that hold code: through no door is any of it run. Each would leave a folder behind if it were."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hostile_archives import PNG, zip_of
from safetensors.torch import save_file
from torch import nn

from ganeval import InputError, open_generator
from ganeval.cli import main
from ganeval.generators.torchscript import is_torchscript
from ganeval.images import Seen, open_images
from ganeval.images.vision import named_dataset
from ganeval.reference import load_reference
from ganeval.training.batch import DataSpec
from ganeval.training.building import built
from ganeval.training.checkpoint import FORMAT, load_checkpoint
from ganeval.training.run_folder import RunFolder
from ganeval.training.session import about
from ganeval.training.settings import settings_for
from ganeval.weights import load_state_dict

pytestmark = pytest.mark.usefixtures("one_thread")


class Payload:
    """What makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def payload(tmp_path: Path) -> Iterator[Payload]:
    """It works, and has not been run when the test is over."""
    trial = Payload(tmp_path / "trial")
    pickle.loads(pickle.dumps(trial))
    assert trial.path.exists()
    found = Payload(tmp_path / "attacked")
    yield found
    assert not found.path.exists()


def torch_zip(path: Path, value: Any) -> None:
    torch.save(value, path)


def torch_legacy(path: Path, value: Any) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=False)


def plain_pickle(path: Path, value: Any) -> None:
    path.write_bytes(pickle.dumps(value))


def hidden_in_numpy(path: Path, value: Any) -> None:
    with path.open("wb") as file:
        np.savez(file, weights=np.array([value], dtype=object))


WAYS: dict[str, Callable[[Path, Any], None]] = {
    "torch.save": torch_zip,
    "torch.save of old": torch_legacy,
    "pickle": plain_pickle,
    "numpy": hidden_in_numpy,
}
each_way = pytest.mark.parametrize("write", WAYS.values(), ids=list(WAYS))


def state_of(payload: Payload) -> dict[str, Any]:
    """Beside honest tensors, so that the payload is met late."""
    return {"format": FORMAT, "nets": {}, "weight": torch.zeros(3), "evil": payload}


def refused(*arguments: object) -> str:
    """The one sentence of the command."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 1, done.output
    assert done.stderr.startswith("Error: ")
    return done.stderr


@each_way
@pytest.mark.parametrize("name", ["x.pth", "x.ckpt", "x.pkl", "x.bin", "x.safetensors"])
def test_weights(write: Callable[[Path, Any], None], name: str, payload: Payload, tmp_path: Path) -> None:
    write(tmp_path / name, state_of(payload))
    with pytest.raises(InputError, match="not a file of weights that can be loaded safely"):
        load_state_dict(tmp_path / name)


@each_way
def test_checkpoints(write: Callable[[Path, Any], None], payload: Payload, tmp_path: Path) -> None:
    write(tmp_path / "last.pt", state_of(payload))
    with pytest.raises(InputError, match="is damaged or no checkpoint of ganeval"):
        load_checkpoint(tmp_path / "last.pt")


@each_way
def test_commands_that_read_weights(
    write: Callable[[Path, Any], None], payload: Payload, tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    evil = tmp_path / "x.pth"
    write(evil, state_of(payload))
    assert "can be loaded safely" in refused("fid", *folders, "--weights", evil, "--no-cache")
    assert "of none of the published files" in refused("weights", "import", evil)
    assert "can be loaded safely" in refused("import", "cyclegan", evil, "--image-size", 64, "--out", tmp_path / "run")
    evil.rename(tmp_path / "x.pkl")
    assert "is a pickle" in refused("import", "cyclegan", tmp_path / "x.pkl", "--image-size", 64, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without a checkpoint."""
    settings = settings_for("dcgan", {"image_size": 32})
    net = built(settings, DataSpec(task="images", image_size=32, channels=3))
    path = tmp_path_factory.mktemp("runs") / "dcgan"
    return RunFolder.created(path, about(settings, net, torch.device("cpu"), name="x", provenance={})).path


@each_way
def test_commands_that_read_runs(write: Callable[[Path, Any], None], payload: Payload, tmp_path: Path, begun: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(begun, run)
    for name in ("best.pt", "last.pt"):
        write(run / "checkpoints" / name, state_of(payload))
    for command in (
        ("generate", run, "-o", tmp_path / "out"),
        ("score", run),
        ("ppl", run),
        ("train", "dcgan", "--resume", run),
    ):
        assert "is damaged or no checkpoint of ganeval" in refused(*command)


@each_way
def test_generators(write: Callable[[Path, Any], None], payload: Payload, tmp_path: Path) -> None:
    for name in ("g.pt", "g.pkl", "g.onnx"):
        write(tmp_path / name, state_of(payload))
        with pytest.raises(InputError):
            open_generator(str(tmp_path / name), num_images=4, z_dim=3, value_range=(-1, 1), device="cpu")


def test_arrays_stats_and_labels(payload: Payload, tmp_path: Path) -> None:
    evil = np.array([payload], dtype=object)
    images = np.zeros((3, 8, 8, 3), np.uint8)
    np.save(tmp_path / "x.npy", evil, allow_pickle=True)
    np.savez(tmp_path / "images.npz", evil)
    np.savez(tmp_path / "labels.npz", arr_0=images, arr_1=evil)
    np.savez(tmp_path / "beside.npz", arr_0=images, other=evil)
    zip_of(tmp_path / "pickled.npz", {"arr_0.npy": pickle.dumps(payload)})
    for name in ("x.npy", "images.npz", "pickled.npz"):
        with pytest.raises(InputError):
            open_images(tmp_path / name)
    for name in ("labels.npz", "beside.npz"):
        assert sum(map(len, open_images(tmp_path / name).batches(Seen(), batch_size=2))) == 3
    honest: dict[str, Any] = {"mu": np.zeros(2), "sigma": np.eye(2)}
    for key in ("mu", "sigma", "ganeval"):
        np.savez(tmp_path / "stats.npz", **{**honest, key: evil})
        with pytest.raises(InputError, match="pickled objects"):
            load_reference(tmp_path / "stats.npz")
        assert "pickled objects" in refused("stats", "show", tmp_path / "stats.npz")


@pytest.mark.parametrize("name", ["MNIST", "ImageNet", "CIFAR10", "PCAM"])
def test_data_as_torchvision_reads_them(name: str, payload: Payload, tmp_path: Path) -> None:
    """Pickles of its own are read by their digest alone, and caches of its own as tensors."""
    folder = {"MNIST": "MNIST/processed", "CIFAR10": "cifar-10-batches-py"}.get(name, ".")
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    files = ("training.pt", "test.pt", "meta.bin", "batches.meta", "test_batch", *(f"data_batch_{i}" for i in range(1, 6)))
    for file in files:
        torch_zip(tmp_path / folder / file, state_of(payload)) if "." in file else plain_pickle(tmp_path / folder / file, payload)
    with pytest.raises((InputError, pickle.UnpicklingError)):
        named_dataset(f"torchvision:{name}:{'val' if name == 'ImageNet' else 'test'}:{tmp_path}")


def test_datasets_with_a_script(payload: Payload, tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="pip install 'ganeval[hf]'")
    folder = tmp_path / "data"
    save_folder = folder / "train"
    save_folder.mkdir(parents=True)
    (save_folder / "a.png").write_bytes(PNG)
    (folder / "data.py").write_text(f"import os\nos.mkdir({str(payload.path)!r})\n")
    with contextlib.suppress(InputError):
        list(open_images(f"hf:{folder}:train").batches(Seen(), batch_size=2))


# ------------------------------------------------------------------ programs


class Program(nn.Module):
    """TorchScript that says so itself."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z


@pytest.fixture
def script(tmp_path: Path) -> Path:
    torch.jit.trace(Program(), torch.zeros(1, 3)).save(tmp_path / "g.pt")
    return tmp_path / "g.pt"


def test_torchscript_is_run_only_where_it_is_trusted(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was loaded"))
    with pytest.raises(InputError, match="if you trust it, add --trust"):
        open_generator(str(script), num_images=4, z_dim=3, value_range=(-1, 1))
    for read in (load_state_dict, load_checkpoint):
        with pytest.raises(InputError, match="TorchScript archive, which is a program"):
            read(script)
    assert "TorchScript archive" in refused("import", "cyclegan", script, "--image-size", 64, "--out", tmp_path / "run")


def test_what_only_looks_like_a_zip_is_no_torchscript(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"PK\x05\x06" + bytes(18))
    assert not is_torchscript(tmp_path / "x.pt")
    (tmp_path / "x.pt").write_bytes(b"junk" + b"PK\x05\x06" + b"\xff" * 18)
    assert not is_torchscript(tmp_path / "x.pt")


UNET = {"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", "DDPMScheduler"]}
PIPELINES: dict[str, dict[str, Any]] = {
    "a class of the folder": {**UNET, "_class_name": ["evil", "Pipeline"]},
    "a part of the folder": {**UNET, "unet": ["evil", "UNet"]},
    "a part of another package": {**UNET, "unet": ["subprocess", "Popen"]},
    "a part outside": {**UNET, "../unet": ["diffusers", "UNet2DModel"]},
    "code in place of the package": UNET,
}


@pytest.mark.parametrize("index", PIPELINES.values(), ids=list(PIPELINES))
def test_pipelines_that_name_code(index: dict[str, Any], payload: Payload, tmp_path: Path) -> None:
    pytest.importorskip("diffusers", reason="pip install 'ganeval[diffusers]'")
    folder = tmp_path / "pipe"
    for name in ("unet", "scheduler"):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text("{}")
    (folder / "model_index.json").write_text(json.dumps(index))
    for file in ("evil.py", "unet/evil.py", "unet/diffusers.py"):
        (folder / file).write_text(f"import os\nos.mkdir({str(payload.path)!r})\n")
    with pytest.raises(InputError, match=r"is not loaded: .* may be code"):
        open_generator(f"diffusers:{folder}", num_images=4, device="cpu")


# ------------------------------------------------------------------ files that lie


def safetensors(path: Path, about: Any, data: bytes = bytes(12), *, length: int | None = None) -> Path:
    header = json.dumps(about).encode()
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + data)
    return path


def tensor(dtype: str = "F32", shape: tuple[int, ...] = (3,), offsets: tuple[int, int] = (0, 12)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


LIES: dict[str, Any] = {
    "beyond the end": {"a": tensor(offsets=(0, 10**12), shape=(25 * 10**10,))},
    "fewer bytes than the shape": {"a": tensor(shape=(1000, 1000))},
    "before the start": {"a": tensor(offsets=(-12, 0))},
    "backwards": {"a": tensor(offsets=(12, 0))},
    "the same bytes twice": {"a": tensor(), "b": tensor()},
    "a hole": {"a": tensor(offsets=(4, 12), shape=(2,))},
    "too large to count": {"a": tensor(shape=(2**40, 2**40))},
    "no kind of numbers": {"a": tensor("evil")},
    "no shape": {"a": {"dtype": "F32"}},
    "a list": [1, 2],
    "a name": "x",
}


@pytest.mark.parametrize("about", LIES.values(), ids=list(LIES))
def test_safetensors_that_lie_are_refused(about: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a file of weights that can be loaded safely"):
        load_state_dict(safetensors(tmp_path / "x.safetensors", about))


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_safetensors_whose_header_lies_about_its_length_are_refused(length: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a file of weights that can be loaded safely"):
        load_state_dict(safetensors(tmp_path / "x.safetensors", {"a": tensor()}, length=length))


def test_weights_far_larger_than_their_file_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"its tensors state 4,000,000,000,000 bytes, but the file has"):
        load_state_dict(tmp_path / "x.pth")
    torch.save({"a": torch.zeros(2**22)}, tmp_path / "y.pth")
    with zipfile.ZipFile(tmp_path / "y.pth") as honest, zipfile.ZipFile(tmp_path / "z.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in honest.namelist():
            packed.writestr(name, honest.read(name))
    for read in (load_state_dict, load_checkpoint):
        with pytest.raises(InputError, match="its parts are compressed"):
            read(tmp_path / "z.pth")


def test_honest_weights_are_read_as_before(tmp_path: Path) -> None:
    """Also ordered ones, tied ones, and those of the old format."""
    shared = torch.rand(1000)
    state = collections.OrderedDict(a=shared, b=shared, c=shared[::2], d=torch.tensor(3))
    torch_zip(tmp_path / "x.pth", state)
    torch_legacy(tmp_path / "y.pth", state)
    save_file({name: value.clone() for name, value in state.items()}, tmp_path / "z.safetensors")
    for name in ("x.pth", "y.pth", "z.safetensors"):
        assert all(torch.equal(value, state[key]) for key, value in load_state_dict(tmp_path / name).items())
