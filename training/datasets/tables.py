"""Parquet files of images, as the `datasets` library of Hugging Face writes them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.datasets.collection import Collection, name_class, split_of
from training.datasets.pictures import Picture
from training.errors import DataUnavailable

SUFFIXES = {".parquet"}
IMAGES = ("image", "img", "picture", "bytes")
LABELS = ("label", "labels", "class", "target", "fine_label", "cls")
ROWS = 1_000
"""Read at a time."""


def read_tables(where: Path, files: Sequence[Path], name: str) -> Collection:
    """The pictures of one or several tables of a data set. Without labels, they are one class `name`.

    Raises DataUnavailable.
    """
    import pyarrow as pa  # here: no other data set needs it
    import pyarrow.parquet as pq

    parts: dict[str, list[Picture]] = {}
    classes: list[str] = []
    for file in files:
        try:
            with pq.ParquetFile(file) as table:
                image, label = _columns(file, table.schema_arrow.names)
                classes = classes or _class_names(table.schema_arrow.metadata, label)
                parts.setdefault(split_of(file.name), []).extend(_rows(file, table, image, label, classes, name))
        except (pa.ArrowException, OSError) as error:
            raise DataUnavailable(f"{file} cannot be read as a Parquet file; replace it by a whole one") from error
    return Collection.split(where, parts, classes)


def _columns(file: Path, names: list[str]) -> tuple[str, str | None]:
    image = next((name for name in IMAGES if name in names), None)
    if image is None:
        raise DataUnavailable(
            f"{file} has no column of images ({', '.join(IMAGES)}), only {', '.join(names)}; rename the right one"
        )
    return image, next((name for name in LABELS if name in names), None)


def _class_names(metadata: dict[bytes, bytes] | None, label: str | None) -> list[str]:
    """The names that the file's metadata give to the labels 0, 1, ...; none if they do not."""
    try:
        told = json.loads((metadata or {})[b"huggingface"])
        return [name_class(str(name), str(name)) for name in told["info"]["features"][label]["names"]]
    except (KeyError, TypeError, ValueError):
        return []


def _rows(file: Path, table: Any, image: str, label: str | None, classes: list[str], name: str) -> Iterator[Picture]:
    columns = [image] if label is None else [image, label]
    row = 0
    for batch in table.iter_batches(ROWS, columns=columns):
        for values in batch.to_pylist():
            where = f"{file}, row {row}"
            held = values[image]
            content = held.get("bytes") if isinstance(held, dict) else held
            if not isinstance(content, bytes):
                raise DataUnavailable(f"{where}: column '{image}' holds no picture's bytes; write the files into it")
            of = name if label is None else _class_of(values[label], classes, where)
            yield Picture(f"{file.name}/{row}", of, content, where)
            row += 1


def _class_of(label: Any, classes: list[str], where: str) -> str:
    if isinstance(label, int) and classes:
        if not 0 <= label < len(classes):
            raise DataUnavailable(f"{where}: label {label} is none of the {len(classes)} classes; remove the row")
        return classes[label]
    if not isinstance(label, int | str):
        raise DataUnavailable(f"{where}: its label is neither a number nor a name; give each row one class")
    return name_class(str(label), where)
