"""A folder of images as tensors: each sub-folder is a class."""

import statistics
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from torch import Tensor

from training.errors import DataUnavailable
from training.files import slug

Classes = dict[str, list[Path]]
"""The images of each class, both in sorted order."""

SIDES = (8, 64)
"""The least and the greatest height and width, in pixels."""
SIDE_STEP = 4
"""The networks halve height and width twice."""
TEST_EVERY = 10
QUARTER_TURNED = 5
"""From this Exif orientation on, height and width change places."""


def read(folder: Path, *, train: bool) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Images uint8 (N, channels, H, W), labels int64 (N,) and the names of the classes.

    The classes are the sub-folders, or the folder itself where the images lie in it. Where it has the sub-folders
    `train` and `test`, these are the splits; else every tenth image of each class is for the test. H and W are the
    medians over both splits, to the nearest multiple of 4 from 8 to 64: an image is scaled to fit inside with its
    aspect kept, and centred on black. What is transparent is black too. There is one channel where no image of
    either split has colour, else three. Raises DataUnavailable.
    """
    splits = _splits(folder)
    # Both splits are read whatever is asked for: a damaged test image had better not wait for the end of training.
    paths = [path for split in splits for split_paths in split.values() for path in split_paths]
    size = _common_size(paths)
    with ThreadPoolExecutor() as pool:
        images = torch.from_numpy(np.stack(list(pool.map(partial(_pixels, size=size), paths))))  # (N, H, W, 3)
    grey = bool((images == images[..., :1]).all())
    counts = [[len(split_paths) for split_paths in split.values()] for split in splits]
    rows = slice(0, sum(counts[0])) if train else slice(sum(counts[0]), None)
    chosen = images[rows, :, :, : 1 if grey else 3].permute(0, 3, 1, 2).contiguous()
    labels = torch.arange(len(splits[0])).repeat_interleave(torch.tensor(counts[0 if train else 1]))
    return chosen, labels, tuple(splits[0])


def name_of(folder: Path) -> str:
    """Return the slug of the folder's own name, without its path."""
    return slug(folder.resolve().name) or "images"


def _splits(folder: Path) -> tuple[Classes, Classes]:
    """Return the classes for training and for testing, with the same names."""
    if not folder.is_dir():
        raise DataUnavailable(f"{folder} is not a folder; name an existing folder of images with --data")
    if all((folder / split).is_dir() for split in ("train", "test")):
        train, test = (_classes(folder / split, name_of(folder)) for split in ("train", "test"))
        if differing := sorted(train.keys() ^ test.keys()):
            lacking = folder / ("test" if differing[0] in train else "train")
            raise DataUnavailable(
                f"{lacking} has no images of class '{differing[0]}'; add some, or remove the class from the other split"
            )
        return train, test
    classes = _classes(folder, name_of(folder))
    for paths in classes.values():
        if len(paths) == 1:
            raise DataUnavailable(
                f"{paths[0]} is the only image of its class; add another, since one is to train on and one to test on"
            )
    test = {name: paths[TEST_EVERY - 1 :: TEST_EVERY] or paths[-1:] for name, paths in classes.items()}
    return {name: sorted(set(paths) - set(test[name])) for name, paths in classes.items()}, test


def _classes(folder: Path, name: str) -> Classes:
    """Return one class for each sub-folder with images, sorted by name; else one class `name` for the folder."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found = [(path, images) for path in inside if (images := _images(path))]
    own = _images(folder)
    if found and own:
        raise DataUnavailable(f"{own[0]} lies beside the class folders of {folder}; move it into one of them")
    if not found and not own:
        raise DataUnavailable(f"{folder} has no images, nor have its sub-folders; put some there, one folder a class")
    if own:
        return {name: own}
    classes: Classes = {}
    for path, images in found:
        called = slug(path.name)
        if not called:
            raise DataUnavailable(f"{path} has no letter a-z or digit in its name to call a class by; rename it")
        if called in classes:
            raise DataUnavailable(f"{path} and {classes[called][0].parent} are both class '{called}'; rename one")
        classes[called] = images
    return dict(sorted(classes.items()))


def _images(folder: Path) -> list[Path]:
    """Return the files with an ending that Pillow can open, sorted, without hidden files."""
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in endings and not path.name.startswith(".") and path.is_file()
    ]


def _common_size(paths: Iterable[Path]) -> tuple[int, int]:
    """Return (width, height), in Pillow's order."""
    widths, heights = zip(*map(_size, paths), strict=True)
    return _side(widths), _side(heights)


def _side(lengths: Iterable[int]) -> int:
    nearest = round(statistics.median(lengths) / SIDE_STEP) * SIDE_STEP
    return min(max(nearest, SIDES[0]), SIDES[1])


def _size(path: Path) -> tuple[int, int]:
    """Return (width, height) of the upright image, from the file's header if the format has it there."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= QUARTER_TURNED
            return (image.height, image.width) if turned else image.size
    except Exception as error:  # decoders raise whatever the damage happens to look like
        raise _broken(path) from error


def _pixels(path: Path, *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the upright image, scaled to fit inside `size` and centred on black: (H, W, 3)."""
    try:
        with Image.open(path) as image:
            colours = _rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # decoders raise whatever the damage happens to look like
        raise _broken(path) from error
    scale = min(size[0] / colours.width, size[1] / colours.height)
    width, height = (max(1, round(side * scale)) for side in colours.size)
    canvas = Image.new("RGB", size)
    fitted = colours.resize((width, height), Image.Resampling.LANCZOS)
    canvas.paste(fitted, ((size[0] - width) // 2, (size[1] - height) // 2))
    return np.array(canvas)


def _rgb(image: Image.Image) -> Image.Image:
    """Convert to 8 bits a channel, on black. Raises ValueError for pixels outside unsigned 16 bits."""
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise ValueError("pixels of more than 16 bits")
        # Pillow would clip what is above 255; 257 takes 65535 to 255.
        image = Image.fromarray(np.rint(values / 257).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
    return image.convert("RGB")


def _broken(path: Path) -> DataUnavailable:
    return DataUnavailable(f"{path} cannot be read as an image of at most 16 bits a channel; delete or replace it")
