"""NumPy's files: an `.npz` with images and labels, or a pair of `.npy` files."""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.collection import Collection, name_class, split_of
from training.datasets.pictures import Picture
from training.errors import DataUnavailable

SUFFIXES = {".npz", ".npy"}
CHANNELS = (1, 2, 3, 4)
PAIRS = (("images", "labels"), ("image", "label"), ("x", "y"), ("X", "y"), ("data", "target"))
"""What the files of a pair are called."""

Array = NDArray[Any]


def read_arrays(where: Path, files: Sequence[Path], name: str) -> Collection:
    """Images (N, H, W), (N, H, W, channels) or (N, channels, H, W), and labels (N,) of each split, of all files.

    The names of the arrays and of their files say the split. Beside a single `.npy` file of images may be one with the
    labels. Without labels they are one class `name`. Raises DataUnavailable.
    """
    if len(files) == 1 and files[0].suffix == ".npy" and (beside := _labels_beside(files[0])) is not None:
        files = [*files, beside]
    parts: dict[str, dict[str, tuple[Path, str, Array]]] = {}
    for file in files:
        for key, array in _open(file).items():
            kind = "images" if array.ndim in (3, 4) else "labels" if array.ndim and array.size == len(array) else ""
            part = parts.setdefault(split_of(f"{key} {file.stem}"), {})
            if not kind or kind in part:
                raise DataUnavailable(
                    f"{file}: array '{key}' of shape {array.shape} is neither the images (N, H, W, channels) nor the "
                    "labels (N,) of a split, or is there twice; leave it out"
                )
            part[kind] = file, key, array
    return Collection.split(where, {split: list(_pictures(part, name)) for split, part in parts.items()})


def _open(path: Path) -> dict[str, Array]:
    """The arrays of an `.npz` file by their names, or that of an `.npy` file by the file's. Raises DataUnavailable."""
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {path.stem: loaded}
            return {key: array for key in loaded.files if (array := loaded[key]).ndim}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataUnavailable(
            f"{path} cannot be read as arrays of numbers: it ends early, is damaged, or holds objects; write it again "
            "with numpy.save or numpy.savez"
        ) from error


def _labels_beside(path: Path) -> Path | None:
    names = [path.stem.replace(one, other) for one, other in PAIRS if one in path.stem]
    names += [f"{path.stem}{joint}labels" for joint in "-_."] + ["labels"]
    found = [path.with_name(f"{name}.npy") for name in names if name != path.stem]
    return next((file for file in found if file.is_file()), None)


def _pictures(part: dict[str, tuple[Path, str, Array]], name: str) -> Iterator[Picture]:
    if "images" not in part:
        path, key, _ = part["labels"]
        raise DataUnavailable(f"{path}: array '{key}' has no images; add an array (N, H, W, channels)")
    path, key, images = part["images"]
    levels = _levels(path, key, images)
    labels = part["labels"][2].reshape(-1) if "labels" in part else None
    if labels is not None and len(labels) != len(levels):
        raise DataUnavailable(f"{path}: there are {len(levels)} images and {len(labels)} labels; give one for each")
    for row, pixels in enumerate(levels):
        where = f"{path}, {key}[{row}]"
        yield Picture(f"{key}/{row}", name if labels is None else _class_of(labels[row], where), pixels, where)


def _class_of(label: Any, where: str) -> str:
    whole = isinstance(label, np.bool_ | np.integer) or (isinstance(label, np.floating) and float(label).is_integer())
    return name_class(str(int(label)) if whole else str(label), where)


def _levels(path: Path, key: str, images: Array) -> Array:
    """(N, H, W, channels) in 8 or 16 bits."""
    if images.ndim == 3:
        images = images[..., None]
    if images.shape[3] not in CHANNELS and images.shape[1] in CHANNELS:
        images = np.moveaxis(images, 1, 3)
    if images.shape[3] not in CHANNELS or not images.size:
        raise DataUnavailable(f"{path}: '{key}' of shape {images.shape} is no set of images (N, H, W, channels)")
    least, most = images.min(), images.max()
    if images.dtype == np.bool_:
        return np.asarray(images * np.uint8(255))
    if images.dtype.kind == "f":
        return _rounded(path, key, images)
    if images.dtype.kind not in "ui" or least < 0 or most >= 1 << 16:
        raise DataUnavailable(f"{path}: '{key}' has no levels of 8 or 16 bits; scale them to 0 to 255")
    return np.asarray(images.astype(np.uint8 if images.dtype.itemsize == 1 else np.uint16))


def _rounded(path: Path, key: str, images: Array) -> Array:
    """Levels in 8 bits of numbers in [-1, 1], [0, 1] or [0, 255]."""
    least, most = images.min(), images.max()
    if not (least >= -1 and most <= 1) and not (least >= 0 and most <= 255):
        raise DataUnavailable(f"{path}: '{key}' has values from {least:g} to {most:g}; scale them to 0 to 255")
    if most > 1:
        return np.rint(images).astype(np.uint8)
    unit = (images + 1) / 2 if least < 0 else images
    return np.rint(unit * 255).astype(np.uint8)
