"""Real images as tensors: all of them in memory as uint8, so that a batch is one index operation."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision.datasets
from torch import Tensor

from latent import Data, ImageShape
from training.datasets.collection import Collection
from training.datasets.contents import Contents
from training.datasets.idx import IdxFiles
from training.datasets.pictures import lay_out
from training.datasets.reading import name_of, read_collection
from training.datasets.sources import SOURCES, Source
from training.errors import DataUnavailable, Unfit, UnknownName

TEST_EVERY = 10
"""Of drawn files whose test half is empty, every tenth image is for the test."""


@dataclass(frozen=True)
class ImageSet:
    """Images uint8 of shape (N, channels, H, W), labels int64 of shape (N,)."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    card: Data
    whole: Contents | None = None
    """The contents of the data set that these are a part of, if more is known of it than these images."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> ImageShape:
        channels, height, width = self.images.shape[1:]
        return ImageShape.model_validate({"height": height, "width": width, "channels": channels})

    def contents(self) -> Contents:
        return self.whole or Contents.of(self.images, self.labels, self.classes)

    def digest(self) -> str:
        """Return 12 hexadecimal digits of the SHA-256 of shape, classes, labels and pixels."""
        return self.contents().digest

    def rows(self, rows: Tensor) -> "ImageSet":
        """Return the images of these row numbers (M,)."""
        return ImageSet(self.images[rows], self.labels[rows], self.classes, self.card, self.whole)

    def to(self, device: torch.device) -> "ImageSet":
        return ImageSet(self.images.to(device), self.labels.to(device), self.classes, self.card, self.whole)


def load_images(name: str, data_dir: Path, *, train: bool, size: tuple[int, int] | None = None) -> ImageSet:
    """Read one split of a data set: a row of SOURCES by its name, or else the pictures at the path `name`.

    A row of SOURCES is read from `data_dir`, and downloaded there if it is absent. `size` is the height and width of
    other images, which are the medians if it is None. Raises UnknownName, Unfit and DataUnavailable.
    """
    if name in SOURCES:
        images = _load_source(SOURCES[name], data_dir, train=train)
        if size not in (None, (images.shape.height, images.shape.width)):
            raise Unfit(f"--data {name} has images of {images.shape.height} x {images.shape.width}; leave --size out")
        return images
    path = Path(name)
    if path.exists() or "/" in name or os.sep in name:
        card = Data(name=name_of(path), licence="unknown", source=path.resolve().name)
        # Both splits are read whatever is asked for: a damaged test image had better not wait for the end of training.
        return _of_collection(read_collection(path), card, size, train=train)
    raise UnknownName("data set", name, [*SOURCES, "the path of a folder of images"])


def plain_name(name: str) -> str:
    """The same name of a data set however a path is written: from the current folder if the data lie in it."""
    path = Path(name)
    if name in SOURCES or not (path.exists() or "/" in name or os.sep in name):
        return name
    real, here = path.resolve(), Path.cwd().resolve()
    plain = str(real.relative_to(here)) if real.is_relative_to(here) else str(real)
    return f"./{plain}" if plain in SOURCES else plain


def to_unit(images: Tensor) -> Tensor:
    """uint8 [0, 255] to float32 [-1, 1], the range of a generator's tanh."""
    return images.float() / 127.5 - 1


def _of_collection(collection: Collection, card: Data, size: tuple[int, int] | None, *, train: bool) -> ImageSet:
    pictures = (*collection.train, *collection.test)
    images = lay_out(pictures, size)
    place = {label: place for place, label in enumerate(collection.classes)}
    labels = torch.tensor([place[picture.label] for picture in pictures])
    whole = Contents.of(images, labels, collection.classes, [picture.name for picture in pictures])
    cut = len(collection.train)
    rows = slice(0, cut) if train else slice(cut, None)
    return ImageSet(images[rows].clone(), labels[rows], collection.classes, card, whole)


def _load_source(source: Source, data_dir: Path, *, train: bool) -> ImageSet:
    files = IdxFiles.find(data_dir, source.folder, source.stem, source.splits)
    if not files.present():
        _download(source, data_dir)
        files = IdxFiles.find(data_dir, source.folder, source.stem, source.splits)
    classes = files.drawn_classes()
    pixels, numbers = files.read(train=train)
    if not len(files.read(train=False)[0]):
        pixels, numbers = files.read(train=True)
        held_out = torch.arange(len(pixels)) % TEST_EVERY == TEST_EVERY - 1
        pixels, numbers = (array[(~held_out if train else held_out).numpy()] for array in (pixels, numbers))
    labels = torch.from_numpy(numbers).long() - (0 if classes is not None else source.first_label)
    names = classes or source.classes
    if not len(labels) or labels.min() < 0 or labels.max() >= len(names):
        raise DataUnavailable(
            f"{files.folder} has no images, or labels that are not from {source.first_label} to "
            f"{source.first_label + len(names) - 1}; bring back the files of {source.card.name}, or name another "
            "folder with --data-dir"
        )
    images = torch.from_numpy(pixels)[:, None]
    transposed = source.transposed and classes is None
    upright = images.transpose(2, 3).contiguous() if transposed else images
    return ImageSet(upright, labels, names, source.card)


def _download(source: Source, data_dir: Path) -> None:
    try:
        getattr(torchvision.datasets, source.reader)(str(data_dir), download=True, **source.options)
    except (OSError, RuntimeError, ValueError, TypeError, EOFError, AssertionError) as error:
        raise DataUnavailable(
            f"{data_dir} has no files of {source.card.name}, and the download failed; name a folder that holds "
            f"{source.folder}/raw with --data-dir, or connect to the internet"
        ) from error
