"""Every reader of files of ganeval, fed bytes: what may come out is a value, or one sentence of an `InputError`. With first inputs."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, features
from safetensors.torch import save

import ganeval
from ganeval.cache.entry import Damaged, Entry, about_file
from ganeval.cache.index import Index
from ganeval.citations import bibtex
from ganeval.errors import InputError
from ganeval.generators.pipeline import check_plain
from ganeval.images import Seen, open_images
from ganeval.images.about import about
from ganeval.images.decode import BadImage, decode
from ganeval.images.origin import Origin
from ganeval.images.pillow import decoding
from ganeval.images.seen import Glance
from ganeval.pages.compared import write_comparison
from ganeval.pages.run import write_page
from ganeval.reference import load_reference
from ganeval.stats import FeatureStats
from ganeval.training.batch import DataSpec
from ganeval.training.building import built
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint
from ganeval.training.datasets.attributes import attribute_table
from ganeval.training.datasets.files import listed
from ganeval.training.run_folder import RunFolder
from ganeval.training.session import about as about_run
from ganeval.training.settings import Settings, settings_for
from ganeval.training.state import load_nets
from ganeval.training.trained import spec_from
from ganeval.verdict import load_report, verdicts
from ganeval.weights import load_state_dict

LONGEST = 2000  # characters of a sentence, but for the list of pictures that follows some
KEY = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader."""

    read: Callable[[bytes, Path], object]  # of bytes, with a folder for what must be a file
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[Exception], ...] = ()  # beside InputError, the reader's documented ones


def outcome(target: Target, data: bytes, folder: Path) -> str:
    """ "value", or the sentence that the bytes were refused with; whatever else a reader raises goes through."""
    try:
        target.read(data, folder)
    except (InputError, Damaged, BadImage, sqlite3.Error) as error:
        if not isinstance(error, (InputError, *target.refusals)):
            raise
        said = str(error)
        lines = said.splitlines() or [type(error).__name__ if isinstance(error, target.refusals) else ""]
        if not all(0 < len(line) <= LONGEST for line in lines):
            raise AssertionError(f"refused with {said!r}") from None
        return said
    return "value"


def _written(data: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# Pictures.


def _read_image(data: bytes, folder: Path) -> object:
    with decoding():
        found = decode(data)
        assert found.image.shape[0] == 3
        return about(data)


def _pictures() -> list[bytes]:
    levels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    rgb = Image.fromarray(levels)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    kinds: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (rgb, "PNG", {"exif": exif}),
        (rgb.convert("P"), "PNG", {"transparency": 3}),
        (rgb.convert("RGBA"), "PNG", {"save_all": True, "append_images": [rgb.convert("RGBA")]}),
        (Image.fromarray(levels[:, :, 0].astype(np.uint16) * 257), "PNG", {}),
        (rgb, "JPEG", {"exif": exif}),
        (rgb.convert("CMYK"), "JPEG", {"progressive": True}),
        (rgb, "MPO", {"save_all": True, "append_images": [rgb]}),
        (rgb.convert("P"), "GIF", {"save_all": True, "append_images": [rgb.convert("P").rotate(90)], "comment": b"x"}),
        (rgb, "TIFF", {"tiffinfo": {0x0112: 6}}),
        (rgb, "TIFF", {"compression": "tiff_lzw"}),
        (rgb.convert("1"), "TIFF", {"compression": "group4"}),
        (rgb, "BMP", {}),
        (rgb, "TGA", {"compression": "tga_rle"}),
        (rgb, "PPM", {}),
    ]
    optional = (("webp", "WEBP"), ("jpg_2000", "JPEG2000"), ("avif", "AVIF"))
    kinds += [(rgb, kind, {}) for feature, kind in optional if features.check(feature)]
    return [*(_saved(*one) for one in kinds), b"P3 2 2 255\n" + b"7 " * 12, b"qoif\0\0\0\2\0\0\0\2\3\0\xfe\1\2\3\xc2\0\0\0\0\0\0\0\1"]


def _saved(picture: Image.Image, kind: str, options: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


# Sources of several pictures.


def _read_source(name: str) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> object:
        source = open_images(_written(data, folder, name), num_images=None)
        return sum(len(batch) for batch in source.batches(Seen(), batch_size=4))

    return read


def _read_npz_member(data: bytes, folder: Path) -> object:
    return _read_source("x.npz")(_zipped({"arr_0.npy": data}), folder)


def _arrays() -> list[bytes]:
    images = np.zeros((3, 4, 5, 3), np.uint8)
    return [_numpy(images), _numpy(images.astype(np.float32)), _numpy(np.array([{}], dtype=object)), _numpy(np.asfortranarray(images))]


def _numpy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def _zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def _zips() -> list[bytes]:
    members = {"a/x.png": _pictures()[0], "a/y.jpg": _pictures()[4], "z.txt": b"text"}
    return [
        _zipped(members, compression) for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ]


def _tars() -> list[bytes]:
    found = []
    for mode in ("w:", "w:gz", "w:bz2", "w:xz"):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT if mode == "w:" else tarfile.GNU_FORMAT) as archive:
            for name, data in {"a.png": _pictures()[0], "a.cls": b"3", "ünicode.jpg": _pictures()[4]}.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        found.append(file.getvalue())
    return found


# What lies beside pictures.


def _read_table(name: str) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> object:
        for picture in ("a.png", "b.png"):
            _written(b"", folder, picture)
        _written(data, folder, name)
        files = listed(folder)
        table = attribute_table(files)
        return table.labels(files, table.default)

    return read


def _read_pipeline(data: bytes, folder: Path) -> object:
    _written(data, folder, "model_index.json")
    check_plain(folder)
    return data


PIPELINE = {"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"], "x": [None, None]}
TABLE = b'file,Young,"Male"\na.png,1,0\nb.png,-1,1\n'


# Stats.


def _read_reference(data: bytes, folder: Path) -> object:
    return load_reference(_written(data, folder, "x.npz"))


def _read_mean(data: bytes, folder: Path) -> object:
    return _read_reference(_zipped({"mu.npy": data, "sigma.npy": _numpy(np.eye(2))}), folder)


def _read_stats_words(data: bytes, folder: Path) -> object:
    words = np.array(data.decode("utf-8", "replace").replace("\0", ""))
    return _read_reference(_zipped({"mu.npy": _numpy(np.zeros(2)), "sigma.npy": _numpy(np.eye(2)), "ganeval.npy": _numpy(words)}), folder)


STATS_WORDS = {
    "format": 1,
    "count": 10,
    "extractor": "tiny",
    "convention": "ttur",
    "preprocessing": "32x32",
    "weights_sha256": "0",
    "images": {"count": 10, "pixels_sha256": "1"},
    "versions": {"ganeval": "0.2.0"},
}


# Weights and checkpoints.


def _read_weights(name: str) -> Callable[[bytes, Path], object]:
    return lambda data, folder: load_state_dict(_written(data, folder, name))


def _read_pickle(data: bytes, folder: Path) -> object:
    """As the pickle in a file of torch's, which is a zip."""
    members = {"x/data.pkl": data, "x/version": b"3\n", "x/byteorder": b"little", "x/data/0": bytes(16)}
    with suppress(InputError):
        load_state_dict(_written(_zipped(members), folder, "x.pth"))
    return load_checkpoint(folder / "x.pth")


def _state() -> dict[str, Any]:
    return {"format": "ganeval checkpoint 1", "step": 3, "nets": {"w": torch.arange(4.0)}, "random": [{"torch": [1, 2]}], "average": None}


def _torch_files() -> list[bytes]:
    found = []
    for state in (_state(), {"w": torch.ones(2, 2), "b": torch.zeros(2)}, [1, 2]):
        for new in (True, False):
            file = io.BytesIO()
            torch.save(state, file, _use_new_zipfile_serialization=new)
            found.append(file.getvalue())
    return found


def _pickles() -> list[bytes]:
    found = []
    for data in _torch_files():
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                found.append(next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl")))
    return found


def _read_checkpoint(data: bytes, folder: Path) -> object:
    return load_checkpoint(_written(data, folder, "last.pt"))


# Runs.


@cache
def _run_config() -> dict[str, Any]:
    settings = settings_for("gan", {"data": "shapes", "image_size": 8, "channels": 1, "config": {"num_steps": 4}})
    spec = DataSpec(task="images", image_size=8, channels=1)
    found = about_run(settings, built(settings, spec), torch.device("cpu"), name="shapes", provenance={})
    plain: dict[str, Any] = json.loads(json.dumps({**found, "lang": "en"}))
    return plain


def _read_run(data: bytes, folder: Path) -> object:
    """The settings and the model of a run, and its page."""
    _written(data, folder, "config.json")
    run = RunFolder.opened(folder)
    with suppress(InputError):  # one that cannot be shown may still be opened
        write_page(folder)
    config = run.config()
    settings = Settings.from_dict(config["settings"])
    return built(settings, spec_from(config["data"]["spec"]))


def _read_lines(name: str) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> object:
        _written(json.dumps(_run_config()).encode(), folder, "config.json")
        _written(data, folder, name)
        return write_page(folder)

    return read


LOSSES = {"step": 1, "seconds": 1.5, "losses": {"d": 0.5, "g": 0.25}}
SCORES = {"step": 2, "seconds": 1.5, "scores": {"fd_tiny": {"value": 3.0, "spread": None, "error": 0.1}}, "diversity": {}, "best": True}
EVENT = {"step": 3, "kind": "import", "message": "hello"}


def _read_nets(data: bytes, folder: Path) -> object:
    """A checkpoint of right format whose parts are anything that JSON can say."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise InputError(str(error)) from None
    save_checkpoint(folder / "last.pt", value if isinstance(value, dict) else {"model": value})
    config = _run_config()
    model = built(Settings.from_dict(config["settings"]), spec_from(config["data"]["spec"]))
    load_nets(model, None, load_checkpoint(folder / "last.pt"))
    return model


def _read_report(data: bytes, folder: Path) -> object:
    """All that `ganeval compare` and `cite` do with it."""
    reports = dict.fromkeys(("one", "other"), load_report(_written(data, folder, "x.json")))
    found = verdicts(reports)
    write_comparison(found, reports, folder / "x.html")
    return [str(verdict) for verdict in found], str(reports["one"]), bibtex(reports["one"])


def _reports() -> list[bytes]:
    class MeanColor:
        name, dim = "mean-color", 3

        def __call__(self, images: torch.Tensor) -> Any:
            from ganeval.extractors.protocol import Activations

            return Activations(images.double().mean(dim=(2, 3)).float(), None)

    images = torch.arange(8 * 3 * 4 * 4).remainder(251).to(torch.uint8).view(8, 3, 4, 4)
    report = ganeval.evaluate(images, images.flip(0), extractor=MeanColor(), cache=False)
    return [report.to_json().encode(), json.dumps({"reports": {"x": report.to_dict()}}).encode()]


# Cache.


def _entry() -> Entry:
    digests = np.arange(3, dtype=np.int64)
    stats = FeatureStats.of(torch.arange(12, dtype=torch.float64).view(4, 3))
    seen: dict[str, Any] = {"count": 4, "names_sha256": None, "pixels_sha256": "0", "num_skipped": 0, "skipped": [], "remarks": {}}
    tensors = {"mean": stats.mean, "scatter": stats.scatter}
    return Entry(
        network="tiny",
        seen=seen,
        glance=Glance(digests, {"4×4": 4}, {".png": 4}),
        classes=("a", "b", "a", "b"),
        answered=frozenset({"stats"}),
        tensors=tensors,
    )


def _entries() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        _entry().write(Path(folder, "x"), KEY)
        return [Path(folder, "x").read_bytes()]


def _read_entry(data: bytes, folder: Path) -> object:
    path = _written(data, folder, "x.safetensors")
    with suppress(Damaged):
        about_file(path)
    return Entry.read(path, KEY).measured({"stats"})


def _read_index(data: bytes, folder: Path) -> object:
    index, file = Index(_written(data, folder, "files.sqlite")), _written(b"", folder, "x.png")
    origin = Origin.of([("x.png", file)])
    index.digests(origin)
    origin = Origin(origin.files, origin.noted_ns + 10**10, origin.pictures)
    index.note(origin, ["0" * 64])
    return index.digests(origin)


def _indexes() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        _read_index(b"", Path(folder))
        return [Path(folder, "files.sqlite").read_bytes()]


def _json(value: Any) -> Callable[[], list[bytes]]:
    return lambda: [json.dumps(value() if callable(value) else value).encode() + b"\n"]


TARGETS: Mapping[str, Target] = {
    "image": Target(read=_read_image, seeds=_pictures, refusals=(BadImage,)),
    "npy": Target(read=_read_source("x.npy"), seeds=_arrays),
    "npz": Target(read=_read_source("x.npz"), seeds=lambda: [_zipped({"arr_0.npy": _arrays()[0], "labels.npy": _numpy(np.arange(3))})]),
    "npz-member": Target(read=_read_npz_member, seeds=_arrays),
    "zip": Target(read=_read_source("x.zip"), seeds=_zips),
    "tar": Target(read=_read_source("x.tar"), seeds=_tars),
    "attributes-csv": Target(read=_read_table("labels.csv"), seeds=lambda: [TABLE, TABLE.replace(b"\n", b"\r")]),
    "attributes-text": Target(read=_read_table("list_attr_celeba.txt"), seeds=lambda: [b"2\nYoung Male\na.png  1 -1\nb.png -1  1\n"]),
    "pipeline": Target(read=_read_pipeline, seeds=_json(lambda: PIPELINE)),
    "stats": Target(
        read=_read_reference, seeds=lambda: [_zipped({"mu.npy": _numpy(np.zeros(2)), "sigma.npy": _numpy(np.eye(2))}, zipfile.ZIP_DEFLATED)]
    ),
    "stats-mean": Target(read=_read_mean, seeds=lambda: [_numpy(np.zeros(2)), *_arrays()]),
    "stats-words": Target(read=_read_stats_words, seeds=_json(STATS_WORDS)),
    "weights": Target(read=_read_weights("x.pth"), seeds=_torch_files),
    "safetensors": Target(
        read=_read_weights("x.safetensors"), seeds=lambda: [save({"w": torch.ones(2), "b": torch.zeros(1)}), *_entries()]
    ),
    "pickle": Target(read=_read_pickle, seeds=_pickles),
    "checkpoint": Target(read=_read_checkpoint, seeds=_torch_files),
    "checkpoint-parts": Target(read=_read_nets, seeds=_json(lambda: {"model": _identity(), "step": 1, "nets": {}, "average": None})),
    "run": Target(read=_read_run, seeds=_json(_run_config)),
    "run-losses": Target(read=_read_lines("losses.jsonl"), seeds=_json(LOSSES)),
    "run-scores": Target(read=_read_lines("scores.jsonl"), seeds=_json(SCORES)),
    "run-events": Target(read=_read_lines("events.jsonl"), seeds=_json(EVENT)),
    "report": Target(read=_read_report, seeds=_reports),
    "cache-entry": Target(read=_read_entry, seeds=_entries, refusals=(Damaged,)),
    "cache-index": Target(read=_read_index, seeds=_indexes, refusals=(sqlite3.Error,)),
}


def _identity() -> dict[str, Any]:
    config = _run_config()
    spec = config["data"]["spec"]
    return {"name": "VanillaGAN", "config": config["settings"]["config"], "spec": asdict(spec_from(spec))}
