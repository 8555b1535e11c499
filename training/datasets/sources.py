"""Data sets as tensors: all images resident as uint8, so that a batch is one index operation."""

import hashlib
import os
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torchvision import datasets

from latent import Data, ImageShape
from training.datasets import folder
from training.errors import DataUnavailable, UnknownName


@dataclass(frozen=True)
class Source:
    """Where a data set comes from and what its labels are called."""

    reader: type[datasets.MNIST]
    folder: str
    classes: tuple[str, ...]
    card: Data
    options: Mapping[str, str] = field(default_factory=dict)
    """What the reader is told besides."""
    first_label: int = 0
    transposed: bool = False
    """The files have rows for columns."""


SOURCES: dict[str, Source] = {
    "mnist": Source(
        datasets.MNIST,
        "MNIST",
        tuple("0123456789"),
        Data(
            name="mnist",
            licence="CC BY-SA 3.0",
            source="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits",
        ),
    ),
    "fashion-mnist": Source(
        datasets.FashionMNIST,
        "FashionMNIST",
        (
            "t-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle-boot",
        ),
        Data(
            name="fashion-mnist",
            licence="MIT",
            source="H. Xiao, K. Rasul, R. Vollgraf 2017: Fashion-MNIST (Zalando SE)",
        ),
    ),
    "emnist-letters": Source(
        datasets.EMNIST,
        "EMNIST",
        tuple(string.ascii_lowercase),
        Data(
            name="emnist-letters",
            licence="none stated",
            source=(
                "G. Cohen, S. Afshar, J. Tapson, A. van Schaik 2017: EMNIST, an extension of MNIST to handwritten "
                "letters (NIST Special Database 19)"
            ),
        ),
        options={"split": "letters"},
        first_label=1,
        transposed=True,
    ),
    "kmnist": Source(
        datasets.KMNIST,
        "KMNIST",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        Data(
            name="kmnist",
            licence="CC BY-SA 4.0",
            source=(
                "T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha 2018: Kuzushiji-MNIST (CODH, "
                "adapted from the Kuzushiji Dataset of NIJL and others)"
            ),
        ),
    ),
}


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
        """12 hexadecimal digits of the SHA-256 of shape, classes, labels and pixels."""
        said = repr((tuple(self.images.shape), self.classes)).encode()
        digest = hashlib.sha256(said)
        for tensor in (self.labels, self.images):
            digest.update(tensor.cpu().contiguous().numpy().data)
        return digest.hexdigest()[:12]

    def rows(self, rows: Tensor) -> "ImageSet":
        """Those of the row numbers (M,)."""
        return ImageSet(self.images[rows], self.labels[rows], self.classes, self.card)

    def to(self, device: torch.device) -> "ImageSet":
        return ImageSet(self.images.to(device), self.labels.to(device), self.classes, self.card)


def load(name: str, data_dir: Path, *, train: bool) -> ImageSet:
    """Read a data set: the folder of images that `name` is a path to, or a row of SOURCES.

    The latter from `data_dir`, downloading it there when it is absent. A name of SOURCES is never a path.
    Raises UnknownName and DataUnavailable.
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
        pairs = source.reader(str(data_dir), train=train, download=not present, **source.options)
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
            f"{raw} is incomplete or damaged; remove {data_dir / source.folder} to download it anew, "
            "or name another folder with --data-dir"
        )
    return (
        f"{raw} does not exist and the download failed; name a folder that holds "
        f"{source.folder}/raw with --data-dir, or connect to the internet"
    )
