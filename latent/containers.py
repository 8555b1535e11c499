"""A labelled data set as a stream of bytes, in constant memory: MNIST's IDX files, WebDataset, zip.

Each container is told of blocks of items in order, and gives the bytes that are ready: whoever draws the images may
be a server or a command. All are deterministic: the same items make the same bytes.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from latent.archives import TAR_END, ZIP_END, ZIP_END_SIZE, Zip, tar_header, tar_member, tar_padding
from latent.card import GeneratorCard
from latent.dataset import Dataset

Kind = Literal["idx", "webdataset", "zip"]
Images = NDArray[np.uint8]
Encode = Callable[[Images], Sequence[bytes]]
"""Images (N, H, W, channels) to a PNG each."""

IDX_UINT8 = 0x08
IDX_MANIFEST = "MNIST/manifest.json"
"""The last member of the tar."""
ZIP_ITEMS = 100_000
"""A zip's directory stays in memory until its end, half a kilobyte an item; the other containers have none."""
SUFFIX: dict[Kind, str] = {"idx": "tar", "webdataset": "tar", "zip": "zip"}
MEDIA_TYPE: dict[Kind, str] = {"idx": "application/x-tar", "webdataset": "application/x-tar", "zip": "application/zip"}


class Container(Protocol):
    def add(self, items: range, images: Images) -> bytes:
        """The bytes ready once these images (N, H, W, channels) are there; blocks come in order."""

    def end(self) -> Iterator[bytes]:
        """The rest, once all blocks are there."""


def container(kind: Kind, dataset: Dataset, card: GeneratorCard, encode: Encode) -> Container:
    """Raises ValueError where the container cannot hold such images."""
    if kind == "idx":
        if card.image.channels != 1:
            raise ValueError("MNIST's files hold grey images; ask for webdataset or zip")
        return Idx(dataset, card)
    if kind == "webdataset":
        return WebDataset(dataset, card, encode)
    if len(dataset) > ZIP_ITEMS:
        raise ValueError(f"a zip holds at most {ZIP_ITEMS:,} images; ask for shards of it, or for idx or webdataset")
    return FolderZip(dataset, card, encode)


def manifest(dataset: Dataset, card: GeneratorCard) -> bytes:
    """Which generator, seed and items: enough to draw the same again."""
    told = {
        "model": card.name,
        "version": card.version,
        "seed": dataset.seed,
        "start": dataset.start,
        "stop": dataset.stop,
        "balance": dataset.balance,
        "classes": [code.name for code in card.space.classes],
        "styles": {card.space.styles[place].name: value for place, value in sorted(dataset.styles.items())},
        "licence": card.data.licence,
    }
    return json.dumps(told, indent=1).encode() + b"\n"


def is_complete(kind: Kind, file: BinaryIO) -> bool:
    """Whether a container's file ends as one that was written to the end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - len(TAR_END)))
    end = file.read()
    if kind == "zip":
        return end[-ZIP_END_SIZE:].startswith(ZIP_END)
    if size % tarfile.BLOCKSIZE or end != TAR_END:
        return False
    # A file cut off among black pixels ends in zeros too, but lacks the last member.
    return kind != "idx" or _last_member(file) == IDX_MANIFEST


def _last_member(file: BinaryIO) -> str:
    file.seek(0)
    try:
        with tarfile.open(fileobj=file) as archive:
            return archive.getnames()[-1]
    except (tarfile.TarError, IndexError):
        return ""


class Idx:
    """A tar of the folder that torchvision's MNIST reads: `MNIST/raw` with four files, the test files empty."""

    def __init__(self, dataset: Dataset, card: GeneratorCard) -> None:
        self._dataset, self._card = dataset, card
        self._frame = (card.image.height, card.image.width)
        self._begun = False

    def add(self, items: range, images: Images) -> bytes:  # noqa: ARG002
        return self._beginning() + images.tobytes()

    def end(self) -> Iterator[bytes]:
        count, pixels = len(self._dataset), self._frame[0] * self._frame[1]
        yield self._beginning() + tar_padding(16 + count * pixels)
        yield tar_header("MNIST/raw/train-labels-idx1-ubyte", 8 + count) + _idx_header(count)
        for items in self._dataset.blocks():
            yield self._dataset.labels(items).astype(np.uint8).tobytes()
        yield tar_padding(8 + count)
        yield tar_member("MNIST/raw/t10k-images-idx3-ubyte", _idx_header(0, *self._frame))
        yield tar_member("MNIST/raw/t10k-labels-idx1-ubyte", _idx_header(0))
        yield tar_member(IDX_MANIFEST, manifest(self._dataset, self._card)) + TAR_END

    def _beginning(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        count = len(self._dataset)
        size = 16 + count * self._frame[0] * self._frame[1]
        return tar_header("MNIST/raw/train-images-idx3-ubyte", size) + _idx_header(count, *self._frame)


@dataclass(frozen=True)
class WebDataset:
    """A tar of pairs `ITEM.png`, `ITEM.cls`, as the webdataset library reads them."""

    dataset: Dataset
    card: GeneratorCard
    encode: Encode

    def add(self, items: range, images: Images) -> bytes:
        parts = []
        for item, label, png in zip(items, self.dataset.labels(items).tolist(), self.encode(images), strict=True):
            parts += [
                tar_member(f"{item:019d}.png", png),
                tar_member(f"{item:019d}.cls", b"%d" % label),
            ]
        return b"".join(parts)

    def end(self) -> Iterator[bytes]:
        yield TAR_END


class FolderZip:
    """PNGs in a folder a class, which torchvision's ImageFolder reads, and `manifest.json`."""

    def __init__(self, dataset: Dataset, card: GeneratorCard, encode: Encode) -> None:
        self._dataset, self._card, self._encode = dataset, card, encode
        self._zip = Zip()

    def add(self, items: range, images: Images) -> bytes:
        names = [code.name for code in self._card.space.classes] or ["image"]
        labels = self._dataset.labels(items).tolist()
        return b"".join(
            self._zip.member(f"{names[label]}/{item:019d}.png", png)
            for item, label, png in zip(items, labels, self._encode(images), strict=True)
        )

    def end(self) -> Iterator[bytes]:
        yield self._zip.member("manifest.json", manifest(self._dataset, self._card)) + self._zip.end()


def _idx_header(*shape: int) -> bytes:
    """The header of MNIST's files: the type, the number of dimensions, and each one's length."""
    return bytes([0, 0, IDX_UINT8, len(shape)]) + np.array(shape, ">i4").tobytes()
