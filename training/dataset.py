"""A labelled data set drawn by a generator, written in shards that can each be drawn alone."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latent.containers import SUFFIX, Kind, container
from latent.dataset import BLOCK, Dataset
from training.errors import Unfit, UnknownName
from training.files import replacing, write_text
from training.model import Model


def write_shard(path: Path, model: Model, dataset: Dataset, kind: Kind, progress: Callable[[int], None]) -> str:
    """Draw the shard's items into one file and its SHA-256 into another beside it; returns the checksum.

    A shard that is there with its checksum is not drawn again. `progress` is told of how many items were drawn.
    Raises Unfit.
    """
    if (before := written(path)) is not None:
        progress(len(dataset))
        return before
    try:
        made = container(kind, dataset, model.card, png)
    except ValueError as error:
        raise Unfit(str(error)) from None
    checksum = hashlib.sha256()
    with replacing(path) as beside, beside.open("wb") as file:
        for items in dataset.blocks():
            part = made.add(items, model.generate(dataset.codes(items), BLOCK))
            checksum.update(part)
            file.write(part)
            progress(len(items))
        for part in made.end():
            checksum.update(part)
            file.write(part)
    # As the sha256sum command writes and checks it.
    write_text(_checksum_path(path), f"{checksum.hexdigest()}  {path.name}\n")
    return checksum.hexdigest()


def written(path: Path) -> str | None:
    """The checksum of a shard that was written to its end, or None."""
    beside = _checksum_path(path)
    return beside.read_text(encoding="utf-8").split()[0] if path.exists() and beside.exists() else None


def shard_path(folder: Path, kind: Kind, number: int, shards: int) -> Path:
    return folder / f"part-{number:05d}-of-{shards:05d}.{SUFFIX[kind]}"


def held_styles(model: Model, given: list[str]) -> dict[int, float]:
    """Places and values of style codes given as NAME=VALUE. Raises UnknownName and Unfit."""
    styles = model.card.space.styles
    names = [style.name for style in styles]
    found: dict[int, float] = {}
    for words in given:
        name, _, value = words.partition("=")
        if name not in names:
            raise UnknownName("style code", name, names or ["none: the model has no style codes"])
        style = styles[names.index(name)]
        try:
            number = float(value)
        except ValueError:
            raise Unfit(f"--style '{words}' is not NAME=NUMBER") from None
        if not style.low <= number <= style.high:
            raise Unfit(f"--style {name} must be from {style.low:g} to {style.high:g}")
        found[names.index(name)] = number
    return found


def png(image: NDArray[np.uint8]) -> bytes:
    """One image (H, W, channels)."""
    buffer = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
