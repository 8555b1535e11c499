"""Real images as tensors: all of them in memory as uint8, so that a batch is one index operation."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision.datasets
from torch import Tensor

from latent import Data, ImageShape
from training.datasets import folder
from training.datasets.sources import SOURCES, Source
from training.errors import DataUnavailable, UnknownName


@dataclass(frozen=True)
class ImageSet:
    """Images uint8 of shape (N, channels, H, W), labels int64 of shape (N,)."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    card: Data

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> ImageShape:
        channels, height, width = self.images.shape[1:]
        return ImageShape.model_validate({"height": height, "width": width, "channels": channels})

    def digest(self) -> str:
        """Return 12 hexadecimal digits of the SHA-256 of shape, classes, labels and pixels."""
        said = repr((tuple(self.images.shape), self.classes)).encode()
        digest = hashlib.sha256(said)
        for tensor in (self.labels, self.images):
            digest.update(tensor.cpu().contiguous().numpy().data)
        return digest.hexdigest()[:12]

    def rows(self, rows: Tensor) -> "ImageSet":
        """Return the images of these row numbers (M,)."""
        return ImageSet(self.images[rows], self.labels[rows], self.classes, self.card)

    def to(self, device: torch.device) -> "ImageSet":
        return ImageSet(self.images.to(device), self.labels.to(device), self.classes, self.card)


def load_images(name: str, data_dir: Path, *, train: bool) -> ImageSet:
    """Read one split of a data set: a row of SOURCES by its name, or else the folder of images at the path `name`.

    A row of SOURCES is read from `data_dir`, and downloaded there if it is absent. Raises UnknownName and
    DataUnavailable.
    """
    if name in SOURCES:
        return _load_source(SOURCES[name], data_dir, train=train)
    path = Path(name)
    if path.is_dir() or "/" in name or os.sep in name:
        card = Data(name=folder.name_of(path), licence="unknown", source=path.resolve().name)
        return ImageSet(*folder.read(path, train=train), card)
    raise UnknownName("data set", name, [*SOURCES, "the path of a folder of images"])


def to_unit(images: Tensor) -> Tensor:
    """uint8 [0, 255] to float32 [-1, 1], the range of a generator's tanh."""
    return images.float() / 127.5 - 1


def _load_source(source: Source, data_dir: Path, *, train: bool) -> ImageSet:
    present = (data_dir / source.folder / "raw").is_dir()
    try:
        reader = getattr(torchvision.datasets, source.reader)
        pairs = reader(str(data_dir), train=train, download=not present, **source.options)
    except (OSError, RuntimeError, ValueError, TypeError, EOFError, AssertionError) as error:
        raise DataUnavailable(_remedy(source, data_dir, present=present)) from error
    images, labels = pairs.data[:, None], pairs.targets - source.first_label
    known = (labels >= 0) & (labels < len(source.classes))
    if len(images) != len(labels) or len(images) == 0 or not known.all():
        raise DataUnavailable(_remedy(source, data_dir, present=present))
    upright = images.transpose(2, 3).contiguous() if source.transposed else images
    return ImageSet(upright, labels, source.classes, source.card)


def _remedy(source: Source, data_dir: Path, *, present: bool) -> str:
    raw = data_dir / source.folder / "raw"
    if present:
        return (
            f"{raw} is incomplete or damaged; remove {data_dir / source.folder} to download it again, "
            "or name another folder with --data-dir"
        )
    return (
        f"{raw} does not exist and the download failed; name a folder that holds "
        f"{source.folder}/raw with --data-dir, or connect to the internet"
    )
