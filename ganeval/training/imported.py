"""Generators of other projects, out of their state dicts into run folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.files import sha256_of
from ganeval.pages.run import write_page
from ganeval.progress import Progress, silent
from ganeval.training.batch import DataSpec
from ganeval.training.building import built
from ganeval.training.checkpoint import save_checkpoint
from ganeval.training.datasets import Direction
from ganeval.training.foreign import Foreign, Misfit, Read, bare, square
from ganeval.training.gan import GAN
from ganeval.training.models import available, load_model
from ganeval.training.run_folder import RunFolder
from ganeval.training.session import about, data_of
from ganeval.training.settings import Settings, settings_for
from ganeval.training.state import model_identity
from ganeval.weights import load_state_dict

OTHERWISE = "score the pictures that it writes (a folder or .zip), or export its generator to ONNX or TorchScript"


def import_run(
    model: str,
    files: Sequence[Path],
    path: Path,
    *,
    image_size: int | None = None,
    attributes: Sequence[str] = (),
    dropout: bool | None = None,
    data: str | None = None,
    direction: Direction | None = None,
    progress: Progress = silent,
) -> RunFolder:
    """A run folder to generate, translate and score from, of weights that were not trained here. No code in the files is run.

    Args:
        model: the installed model whose generator they are of.
        files: a state dict for each of its generators; of cyclegan the way there, and where it is to go back too, the way back.
        path: of the new folder.
        image_size: side in pixels that was trained at; where the file does not say it.
        attributes: names of the attributes in their order; for models that have some.
        dropout: whether it was trained with dropout; for models that may have some.
        data: what to score against, as for `open_data`. Without data it cannot be scored.
        direction: of the data, for pairs and domains.

    Raises:
        InputError: files that are no generator of that model, something about it that they do not say, or data that do not fit it.
    """
    class_, foreign = _importable(model)
    if not 1 <= len(files) <= len(class_.generators):
        raise InputError(f"{model} has {len(class_.generators)} generators, got {len(files)} files; give one file for each")
    states = [_state(file) for file in files]
    reads = [_read(file, foreign, state) for file, state in zip(files, states, strict=True)]
    if reads[0] != reads[-1]:
        raise InputError(f"{files[0]} and {files[-1]} are generators of different sizes ({reads[0].config}, {reads[-1].config})")
    spec = _spec(class_, files[0], reads[0], image_size, tuple(attributes))
    settings = _settings(model, class_, files[0], reads[0], spec, dropout, data, direction)

    name, provenance = "none", {}
    if data is not None:
        opened = data_of(settings, enlarged=False, progress=progress)
        spec = replace(spec, domains=opened.spec.domains)
        if opened.spec != spec:
            raise InputError(f"{data} does not fit the generator: {opened.spec} instead of {spec}; choose other data, or import without")
        name, provenance = opened.name, opened.provenance
    net = built(settings, spec)
    names = class_.generators[: len(files)]
    nets: dict[str, Tensor] = {}
    for generator, file, state in zip(names, files, states, strict=True):
        filled = _filled(file, foreign, state, net.get_submodule(generator).state_dict(), reads[0])
        nets |= {f"{generator}.{key}": value for key, value in filled.items()}

    known = {
        "preset": None,  # what it was trained with nobody knows; only this is known:
        "config": {key: settings.config[key] for key in [*reads[0].config, *foreign.dropout.get(True, {})]},
        "num_steps": 0,
        "imported": _origin(foreign, dict(zip(names, files, strict=True))),
    }
    folder = RunFolder.created(path, {**about(settings, net, torch.device("cpu"), name=name, provenance=provenance), **known})
    checkpoint = {"model": model_identity(net), "step": 0, "num_steps": 0, "nets": nets, "average": None, "imported": list(names)}
    save_checkpoint(folder.checkpoint("last"), checkpoint)
    message = f"imported from {', '.join(file.name for file in files)} of {foreign.project}; not trained here"
    folder.append("events", {"step": 0, "kind": "import", "message": message})
    write_page(folder.path)
    return folder


def _origin(foreign: Foreign, files: Mapping[str, Path]) -> dict[str, Any]:
    """Where the weights of each generator came from, for the run's configuration."""
    return {
        "project": foreign.project,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "files": {generator: {"name": file.name, "sha256": sha256_of(file)} for generator, file in files.items()},
    }


def _importable(name: str) -> tuple[type[GAN], Foreign]:
    """The model, and whose files are read."""
    installed = available()
    if name in installed and (foreign := load_model(name).foreign) is not None:
        return load_model(name), foreign
    known = [other for other in installed if load_model(other).foreign is not None]
    raise InputError(f"no files of {name!r} can be imported, only of {', '.join(known)}; of any other network, {OTHERWISE}")


def _state(file: Path) -> dict[str, Tensor]:
    if file.suffix.lower() in (".pkl", ".pickle"):
        raise InputError(f"{file} is a pickle, which holds code (as those of StyleGAN do) and is not opened; {OTHERWISE}")
    return bare(load_state_dict(file))


def _read(file: Path, foreign: Foreign, state: Mapping[str, Tensor]) -> Read:
    try:
        read = foreign.read({name: tuple(value.shape) for name, value in state.items()})
        square(read)
    except Misfit as error:
        raise _misfit(file, foreign, error) from None
    return read


def _filled(file: Path, foreign: Foreign, state: Mapping[str, Tensor], ours: Mapping[str, Tensor], read: Read) -> dict[str, Tensor]:
    try:
        return foreign.check(state, ours, read)
    except Misfit as error:
        raise _misfit(file, foreign, error) from None


def _misfit(file: Path, foreign: Foreign, error: Misfit) -> InputError:
    return InputError(f"{file} is no generator of {foreign.project} that ganeval knows ({foreign.only}): {error}; else {OTHERWISE}")


def _spec(class_: type[GAN], file: Path, read: Read, image_size: int | None, attributes: tuple[str, ...]) -> DataSpec:
    """What it was trained on, as far as the net goes."""
    if read.image_size is not None and image_size not in (None, read.image_size):
        raise InputError(f"{file} makes pictures of {read.image_size} pixels, not of {image_size}; leave --image-size out")
    size = read.image_size or image_size
    if size is None:
        raise InputError(f"{file} does not say the side of the pictures that it was trained with; give it as --image-size, in pixels")
    if len(attributes) != read.num_labels or len(set(attributes)) != len(attributes) or "" in attributes:
        if not read.num_labels:
            raise InputError(f"{file} has no attributes; leave --attributes out")
        raise InputError(
            f"{file} has {read.num_labels} attributes, and not their names: give {read.num_labels} different ones as --attributes, "
            f"in the order that it was trained with, got {', '.join(attributes) or 'none'}"
        )
    return DataSpec(task=class_.task, image_size=size, channels=square(read), label_names=attributes)


def _settings(
    model: str,
    class_: type[GAN],
    file: Path,
    read: Read,
    spec: DataSpec,
    dropout: bool | None,
    data: str | None,
    direction: Direction | None,
) -> Settings:
    assert class_.foreign is not None
    config = dict(read.config)
    if class_.foreign.dropout:
        if dropout is None:
            raise InputError(f"{file} does not say whether it was trained with dropout; give --dropout, or --no-dropout where it was not")
        config |= class_.foreign.dropout[dropout]
    elif dropout:
        raise InputError(f"{model} has no dropout; leave --dropout out")
    if data is not None and spec.task in ("pairs", "domains") and direction is None:
        raise InputError(f"{file} does not say which way it goes; give --direction AtoB, or BtoA where it makes A out of B")
    changes: dict[str, Any] = {
        "preset": next(iter(class_.presets)),
        "config": config,
        "image_size": spec.image_size,
        "channels": spec.channels,
        "attributes": spec.label_names,
        "direction": direction or "AtoB",
    }
    if data is None:
        return replace(settings_for(model, changes), data="")
    return settings_for(model, {**changes, "data": data})
