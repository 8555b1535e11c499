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
from latent.dataset import BLOCK, TEST_START, Dataset

Kind = Literal["idx", "webdataset", "zip"]
Images = NDArray[np.uint8]
Encode = Callable[[Images], Sequence[bytes]]
"""Images (N, H, W, channels) to a PNG each."""

IDX_UINT8 = 0x08
IDX_MANIFEST = "manifest.json"
"""The last member of the tar, in the folder of the files."""
IDX_FOLDER = {"fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
"""Where torchvision's classes look for files of a data set's name; those of all others are MNIST's."""
IDX_LABELS = 256
ZIP_ITEMS = 100_000
"""A zip's directory stays in memory until its end, half a kilobyte an item; the other containers have none."""
SUFFIX: dict[Kind, str] = {"idx": "tar", "webdataset": "tar", "zip": "zip"}
MEDIA_TYPE: dict[Kind, str] = {"idx": "application/x-tar", "webdataset": "application/x-tar", "zip": "application/zip"}


class Container(Protocol):
    def blocks(self) -> Iterator[range]:
        """The items that it holds, in the order in which it wants them."""

    def add(self, items: range, images: Images) -> bytes:
        """The bytes ready once these images (N, H, W, channels) are there; blocks come in order."""

    def end(self) -> Iterator[bytes]:
        """The rest, once all blocks are there."""


def container(kind: Kind, dataset: Dataset, card: GeneratorCard, encode: Encode) -> Container:
    """Raises ValueError where the container cannot hold such images."""
    if kind == "idx":
        if card.image.channels != 1:
            raise ValueError("MNIST's files hold grey images; ask for webdataset or zip")
        if len(card.space.classes) > IDX_LABELS:
            raise ValueError(f"MNIST's files hold at most {IDX_LABELS} classes; ask for webdataset or zip")
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
    return kind != "idx" or _last_member(file).endswith(f"/{IDX_MANIFEST}")


def _last_member(file: BinaryIO) -> str:
    file.seek(0)
    try:
        with tarfile.open(fileobj=file) as archive:
            return archive.getnames()[-1]
    except (tarfile.TarError, IndexError):
        return ""


class Idx:
    """A tar of the folder that torchvision's MNIST reads: `MNIST/raw` with four files, and a manifest.

    The items of the data set are to train on; a sixth as many more, of the same seed, are to test on.
    """

    def __init__(self, dataset: Dataset, card: GeneratorCard) -> None:
        self._dataset, self._card = dataset, card
        self._frame = (card.image.height, card.image.width)
        self._folder = IDX_FOLDER.get(card.data.name, "MNIST")
        self._parts = [("train", range(dataset.start, dataset.stop)), ("t10k", dataset.tests)]
        self._begun = 0

    def blocks(self) -> Iterator[range]:
        yield from self._dataset.blocks()
        yield from self._dataset.test_blocks()

    def add(self, items: range, images: Images) -> bytes:
        split = 1 if items.start >= TEST_START else 0
        return self._begin(split + 1) + images.tobytes()

    def end(self) -> Iterator[bytes]:
        drawn = max(self._begun, 1)
        yield self._begin(drawn) + self._padding(drawn)
        for place, (split, items) in enumerate(self._parts):
            held = items if place < drawn else items[:0]
            if place >= drawn:
                yield tar_member(self._path(split, "images", 3), _idx_header(0, *self._frame))
            yield tar_header(self._path(split, "labels", 1), 8 + len(held)) + _idx_header(len(held))
            for first in range(0, len(held), BLOCK):
                yield self._dataset.labels(held[first : first + BLOCK]).astype(np.uint8).tobytes()
            yield tar_padding(8 + len(held))
        yield tar_member(f"{self._folder}/{IDX_MANIFEST}", manifest(self._dataset, self._card)) + TAR_END

    def _begin(self, parts: int) -> bytes:
        """The beginnings of the files of images of so many parts, and the ends of those before."""
        written = b""
        while self._begun < parts:
            split, items = self._parts[self._begun]
            size = 16 + len(items) * self._frame[0] * self._frame[1]
            header = tar_header(self._path(split, "images", 3), size) + _idx_header(len(items), *self._frame)
            written += self._padding(self._begun) + header
            self._begun += 1
        return written

    def _padding(self, parts: int) -> bytes:
        """Behind the images of the last of so many parts."""
        if not parts:
            return b""
        return tar_padding(16 + len(self._parts[parts - 1][1]) * self._frame[0] * self._frame[1])

    def _path(self, split: str, kind: str, dimensions: int) -> str:
        return f"{self._folder}/raw/{split}-{kind}-idx{dimensions}-ubyte"


@dataclass(frozen=True)
class WebDataset:
    """A tar of pairs `ITEM.png`, `ITEM.cls`, as the webdataset library reads them."""

    dataset: Dataset
    card: GeneratorCard
    encode: Encode

    def blocks(self) -> Iterator[range]:
        return self.dataset.blocks()

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
        self._folders = [folder_of(code.name) for code in card.space.classes] or ["image"]

    def blocks(self) -> Iterator[range]:
        return self._dataset.blocks()

    def add(self, items: range, images: Images) -> bytes:
        labels = self._dataset.labels(items).tolist()
        return b"".join(
            self._zip.member(f"{self._folders[label]}/{item:019d}.png", png)
            for item, label, png in zip(items, labels, self._encode(images), strict=True)
        )

    def end(self) -> Iterator[bytes]:
        yield self._zip.member("manifest.json", manifest(self._dataset, self._card)) + self._zip.end()


def folder_of(name: str) -> str:
    """The folder of a class: its name, in which what would be a path is written as in a URL."""
    if name.strip(".") == "":
        return name.replace(".", "%2E")
    return name.replace("/", "%2F").replace("\\", "%5C").replace("\0", "%00")


def _idx_header(*shape: int) -> bytes:
    """The header of MNIST's files: the type, the number of dimensions, and each one's length."""
    return bytes([0, 0, IDX_UINT8, len(shape)]) + np.array(shape, ">i4").tobytes()
