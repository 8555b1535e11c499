"""A labelled data set drawn by a generator here or by a service, written in shards that can each be drawn alone."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latent.containers import SUFFIX, Kind, container
from latent.dataset import BLOCK, Dataset
from training.errors import ServiceFailed, Unfit, UnknownName
from training.export.model import Model
from training.files import replacing, write_text

CHUNK = 1 << 20
PATIENCE = 60.0
"""seconds without a byte after which a service is given up"""


Parts = Iterator[tuple[bytes, int]]
"""Bytes of a shard in order, and how many items were drawn for each."""


def write_shard(path: Path, parts: Callable[[], Parts], progress: Callable[[int], None]) -> str:
    """Write the shard's parts into one file and its SHA-256 into another beside it; returns the checksum.

    A shard that is there with its checksum is not drawn again. `progress` is told of how many items were drawn.
    """
    if (before := written(path)) is not None:
        return before
    checksum = hashlib.sha256()
    with replacing(path) as beside, beside.open("wb") as file:
        for part, items in parts():
            checksum.update(part)
            file.write(part)
            progress(items)
    # As the sha256sum command writes and checks it.
    write_text(_checksum_path(path), f"{checksum.hexdigest()}  {path.name}\n")
    return checksum.hexdigest()


def drawn(model: Model, dataset: Dataset, kind: Kind) -> Parts:
    """The parts of a shard that is drawn here. Raises Unfit."""
    try:
        made = container(kind, dataset, model.card, png)
    except ValueError as error:
        raise Unfit(str(error)) from None
    for items in dataset.blocks():
        yield made.add(items, model.generate(dataset.codes(items), BLOCK)), len(items)
    for part in made.end():
        yield part, 0


def fetched(url: str, body: dict[str, object], items: int) -> Parts:
    """The parts of a shard that a service draws: its items count as drawn at the end. Raises ServiceFailed."""
    try:
        with httpx.stream("POST", f"{url.rstrip('/')}/v1/datasets", json=body, timeout=PATIENCE) as answer:
            if answer.is_error:
                raise ServiceFailed(f"{url} refused: {_reason(answer)}")
            for part in answer.iter_bytes(CHUNK):
                yield part, 0
    except httpx.InvalidURL as error:
        raise ServiceFailed(f"--from {url} is not a URL: {error}") from None
    except httpx.HTTPError as error:
        raise ServiceFailed(
            f"{url} answers no more ({type(error).__name__}); see that it runs, then the same command goes on with "
            "this shard"
        ) from error
    yield b"", items


def _reason(answer: httpx.Response) -> str:
    """The problem's own words, where the answer is one."""
    answer.read()
    try:
        problem = answer.json()
        field = f"{problem['field']}: " if "field" in problem else ""
        return f"{field}{problem['detail']}"
    except (ValueError, TypeError, KeyError):
        return f"status {answer.status_code}; is it a Faussaire service?"


def written(path: Path) -> str | None:
    """The checksum of a shard that was written to its end, or None."""
    beside = _checksum_path(path)
    return beside.read_text(encoding="utf-8").split()[0] if path.exists() and beside.exists() else None


def shard_path(folder: Path, kind: Kind, number: int, shards: int) -> Path:
    return folder / f"part-{number:05d}-of-{shards:05d}.{SUFFIX[kind]}"


def styles_of(given: list[str]) -> dict[str, float]:
    """Style codes by name, from NAME=VALUE. Raises Unfit."""
    found: dict[str, float] = {}
    for words in given:
        name, _, value = words.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise Unfit(f"--style '{words}' is not NAME=NUMBER") from None
    return found


def held_styles(model: Model, given: dict[str, float]) -> dict[int, float]:
    """The same by their places in the model's space. Raises UnknownName and Unfit."""
    styles = model.card.space.styles
    names = [style.name for style in styles]
    for name, value in given.items():
        if name not in names:
            raise UnknownName("style code", name, names or ["none: the model has no style codes"])
        style = styles[names.index(name)]
        if not style.low <= value <= style.high:
            raise Unfit(f"--style {name} must be from {style.low:g} to {style.high:g}")
    return {names.index(name): value for name, value in given.items()}


def png(image: NDArray[np.uint8]) -> bytes:
    """One image (H, W, channels)."""
    buffer = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
