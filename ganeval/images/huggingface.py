"""Pictures in Hugging Face datasets, on the Hub or on this machine: `hf:name:split`. Their bytes go through the decoder of files."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ganeval.errors import InputError, InputTypeError, nearest, reason
from ganeval.files import content
from ganeval.images.decode import BadImage
from ganeval.images.encoded import MAX_BYTES, EncodedImages, Entry
from ganeval.optional import package

SPEC = re.compile(r"hf:(?P<name>(?:[A-Za-z]:[\\/])?[^:]+)(?::(?P<split>[^:\[]+(?:\[[^\]]*\])?))?(?::(?P<column>[^:]+))?")
LOCAL = ("/", "./", "../", "~")
AT_ONCE = 1000  # rows whose sizes are looked at together


def named_dataset(spec: str) -> EncodedImages:
    """The pictures of `hf:NAME:SPLIT` or `hf:NAME:SPLIT:COLUMN`.

    NAME is a folder or .parquet on this machine (as `save_to_disk` wrote it, or as `load_dataset` reads it), or a name on the Hub;
    behind another slash its configuration: `hf:user/name/config:test`. SPLIT may be a part, `test[:1000]`; where there is only one it may
    be left out.

    Raises:
        InputError: no such data, split or column, or data that cannot be had.
    """
    match = SPEC.fullmatch(spec)
    if match is None:
        raise InputError(f"{spec} names no dataset; write hf:name:split, hf:/path/to/it:split or hf:name:split:column")
    datasets = package("datasets", extra="hf", asked_by=f"the source {spec}")
    name, split, column = match["name"], match["split"], match["column"]
    with _quiet(datasets):
        try:
            found = _loaded(datasets, name, split)
        except InputError:
            raise
        except Exception as error:  # each kind of data and each way to reach it has its own
            raise InputError(
                f"{spec} cannot be loaded: {reason(error)}; without internet name a folder that holds it: hf:/path/to/it:split"
            ) from None
    return dataset_images(_split(found, split, spec), column=column, where=spec)


def dataset_images(dataset: Any, *, column: str | None = None, where: str = "the dataset") -> EncodedImages:
    """The pictures of a `datasets.Dataset`. Their class is the first column of type ClassLabel, where there is one.

    Raises:
        InputError: no column of pictures, several and none named, or no row.
        InputTypeError: a dataset whose rows are made on the way, or several splits.
    """
    import datasets

    if isinstance(dataset, datasets.DatasetDict | datasets.IterableDatasetDict):
        raise InputTypeError(f"{where} has the splits {', '.join(dataset)}; give one of them")
    if isinstance(dataset, datasets.IterableDataset):
        raise InputTypeError(f"{where} streams its rows; load it without streaming=True")
    if dataset.format["type"] == "custom":
        raise InputTypeError(f"{where} changes its rows by a transform; apply it with map(), or give a DataLoader")
    columns = [name for name, feature in dataset.features.items() if isinstance(feature, datasets.Image)]
    column = _column(column, columns, dataset.column_names, where)
    if len(dataset) == 0:
        raise InputError(f"{where} is empty")
    rows = dataset.with_format(None).select_columns([column]).cast_column(column, datasets.Image(decode=False))
    classes = [name for name, feature in dataset.features.items() if isinstance(feature, datasets.ClassLabel)]
    labels = dataset.with_format(None).select_columns(classes[:1]) if classes else None
    entries = [
        Entry(
            f"{index:08d}",
            size,
            partial(_encoded, rows, index, column),
            None if labels is None else partial(_class, labels, index, classes[0]),
        )
        for index, size in enumerate(_sizes(rows, column))
    ]
    return EncodedImages(where, "hf", entries, None)


def is_dataset(source: Any) -> bool:
    """Whether an object is one of the `datasets` package, which is not imported for the question."""
    return any(
        kind.__module__.split(".")[0] == "datasets" and kind.__name__.endswith(("Dataset", "DatasetDict")) for kind in type(source).mro()
    )


def _loaded(datasets: Any, name: str, split: str | None) -> Any:
    """A Dataset where the split is known, else all splits there are."""
    path, config = Path(name).expanduser(), None
    if not path.exists() and name.startswith(LOCAL):
        path, config = path.parent, path.name
        if not path.is_dir() or path == Path(path.anchor):
            raise InputError(f"hf:{name} does not exist; give a folder that holds a dataset, or a name on the Hub")
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return datasets.load_from_disk(str(path))
    if path.suffix == ".parquet":
        return datasets.load_dataset("parquet", data_files=str(path), split=split)
    if path.exists():
        return datasets.load_dataset(str(path), config, split=split)
    user, _, rest = name.partition("/")
    on_hub, _, config = rest.partition("/")
    return datasets.load_dataset(f"{user}/{on_hub}" if on_hub else user, config or None, split=split)


def _split(found: Any, split: str | None, spec: str) -> Any:
    if not isinstance(found, dict):
        if split is not None and found.split is not None and str(found.split) != split:
            raise InputError(f"{spec} is saved as one split, {found.split}; ask for that")
        return found
    if split is None and len(found) == 1:
        return next(iter(found.values()))
    if split not in found:
        asked = "say which split: " if split is None else f"no split is called {split!r}; "
        raise InputError(f"{spec}: {asked}{nearest(split or '', found)}")
    return found[split]


def _column(asked: str | None, pictures: list[str], columns: list[str], where: str) -> str:
    if asked is None and len(pictures) == 1:
        return pictures[0]
    if not pictures:
        raise InputError(f"{where} has no column of type Image; its columns are {', '.join(columns)}")
    if asked is None:
        raise InputError(f"{where} has several columns of pictures, {', '.join(pictures)}; name one: hf:name:split:{pictures[0]}")
    if asked not in pictures:
        raise InputError(f"{where} has no column of pictures called {asked!r}; {nearest(asked, pictures)}")
    return asked


def _sizes(rows: Any, column: str) -> Iterator[int]:
    """Bytes of each picture, without reading one; 0 where it lies in a file of its own."""
    from pyarrow import compute

    for table in rows.with_format("arrow").iter(AT_ONCE):
        for size in compute.binary_length(compute.struct_field(table[column], "bytes")).to_pylist():
            yield size or 0


def _encoded(rows: Any, index: int, column: str) -> bytes:
    picture = rows[index][column]
    if picture is None:
        raise BadImage("the row has no picture")
    data: bytes | None = picture["bytes"]
    if data is not None:
        return data
    if not Path(picture["path"]).is_file():
        raise BadImage(f"the file {picture['path']} that the row names is not on this machine")
    return content(Path(picture["path"]), most=MAX_BYTES)


def _class(labels: Any, index: int, column: str) -> str:
    number = labels[index][column]
    return "" if number is None or number < 0 else str(labels.features[column].int2str(number))


@contextmanager
def _quiet(datasets: Any) -> Iterator[None]:
    """Without bars and tales of retries, which would stand between a user and the one sentence."""
    logger, bars = logging.getLogger("huggingface_hub"), datasets.is_progress_bar_enabled()
    level = logger.level
    datasets.disable_progress_bars()
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            datasets.enable_progress_bars()
