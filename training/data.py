"""Data sets as tensors: all images resident as uint8, so that a batch is one index operation."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision import datasets

from latent import Data, ImageShape
from training.errors import DataUnavailable, UnknownName


@dataclass(frozen=True)
class Source:
    """Where a data set comes from and what its labels are called."""

    reader: type[datasets.MNIST]
    folder: str
    classes: tuple[str, ...]
    card: Data


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

    def to(self, device: torch.device) -> "ImageSet":
        return ImageSet(self.images.to(device), self.labels.to(device), self.classes, self.card)


def load(name: str, data_dir: Path, *, train: bool) -> ImageSet:
    """Read a data set from `data_dir`, downloading it there when it is absent.

    Raises UnknownName and DataUnavailable.
    """
    if name not in SOURCES:
        raise UnknownName("data set", name, list(SOURCES))
    source = SOURCES[name]
    present = (data_dir / source.folder / "raw").is_dir()
    try:
        pairs = source.reader(str(data_dir), train=train, download=not present)
    except (OSError, RuntimeError, ValueError, EOFError, AssertionError) as error:
        raise DataUnavailable(_remedy(source, data_dir, present=present)) from error
    if len(pairs.data) != len(pairs.targets) or len(pairs.data) == 0:
        raise DataUnavailable(_remedy(source, data_dir, present=present))
    return ImageSet(pairs.data[:, None], pairs.targets, source.classes, source.card)


def to_unit(images: Tensor) -> Tensor:
    """uint8 [0, 255] to float32 [-1, 1], the range of a generator's tanh."""
    return images.float() / 127.5 - 1


def _remedy(source: Source, data_dir: Path, *, present: bool) -> str:
    folder = data_dir / source.folder / "raw"
    if present:
        return (
            f"{folder} is incomplete or damaged; remove {data_dir / source.folder} to download it anew, "
            "or name another folder with --data-dir"
        )
    return (
        f"{folder} does not exist and the download failed; name a folder that holds "
        f"{source.folder}/raw with --data-dir, or connect to the internet"
    )
