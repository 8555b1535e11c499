"""A labelled data set as a stream of bytes, in constant memory: MNIST's IDX files, WebDataset, Parquet, zip.

Each container is runs of blocks of items, and writes a block once its images are there: whoever draws them may be a
server or a command. All are deterministic: the same items make the same bytes. Of all but zip the length is known
before anything is drawn, because their images are not compressed.
"""

import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

import numpy as np

from latent.archives import TAR_END, ZIP_END, ZIP_END_SIZE, Zip, tar_header, tar_member, tar_padding
from latent.card import GeneratorCard
from latent.dataset import BLOCK, Dataset
from latent.features import parquet_of
from latent.parquet import END, MAGIC
from latent.png import encode_pngs, store_pngs, stored_size
from latent.runs import NONE, Images, Run, once

Kind = Literal["idx", "webdataset", "parquet", "zip"]

IDX_UINT8 = 0x08
IDX_MANIFEST = "manifest.json"
"""The last member of the tar, in the folder of the files."""
IDX_FOLDER = {"fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
"""Where torchvision's classes look for files of a data set's name; those of all others are MNIST's."""
IDX_LABELS = 256
IDX_LABELS_STEP = 65_536
"""Labels that are written at a time."""
ZIP_ITEMS = 100_000
"""A zip's directory stays in memory until its end, half a kilobyte an item; the other containers have none."""
SUFFIX: dict[Kind, str] = {"idx": "tar", "webdataset": "tar", "parquet": "parquet", "zip": "zip"}
MEDIA_TYPE: dict[Kind, str] = {
    "idx": "application/x-tar",
    "webdataset": "application/x-tar",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}


SHARD_NAME = re.compile(r"part-(?P<number>\d{5,7})-of-(?P<shards>\d{5,7})\.(?P<suffix>[a-z]+)", re.ASCII)


class Container(Protocol):
    @property
    def size(self) -> int | None:
        """The bytes of the file; None if it is not known before all images are drawn."""

    def runs(self) -> Iterator[Run]:
        """The file from its beginning to its end. Whoever wants only some bytes writes only those."""


def container(kind: Kind, dataset: Dataset, card: GeneratorCard) -> Container:
    """Raises ValueError where the container cannot hold such images."""
    if kind == "idx":
        if card.image.channels != 1:
            raise ValueError("MNIST's files hold grey images; ask for parquet, webdataset or zip")
        if len(card.space.classes) > IDX_LABELS:
            raise ValueError(f"MNIST's files hold at most {IDX_LABELS} classes; ask for parquet, webdataset or zip")
        return Idx(dataset, card)
    if kind == "webdataset":
        return WebDataset(dataset, card)
    if kind == "parquet":
        return parquet_of(dataset, card, manifest(dataset, card).decode())
    if len(dataset) > ZIP_ITEMS:
        raise ValueError(f"a zip holds at most {ZIP_ITEMS:,} images; ask for shards of it, or for another format")
    return FolderZip(dataset, card)


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


def shard_name(kind: Kind, number: int, shards: int) -> str:
    """The name of a shard's file: `part-00000-of-00004.tar`."""
    return f"part-{number:05d}-of-{shards:05d}.{SUFFIX[kind]}"


def parse_shard_name(name: str) -> tuple[str, int, int] | None:
    """The suffix, the number and the number of shards of such a name; None if it is not one."""
    found = SHARD_NAME.fullmatch(name)
    return None if found is None else (found["suffix"], int(found["number"]), int(found["shards"]))


def is_complete(kind: Kind, file: BinaryIO) -> bool:
    """Whether a container's file ends as one that was written to the end."""
    size = file.seek(0, io.SEEK_END)
    if kind == "parquet":
        return _is_whole_parquet(file, size)
    file.seek(max(0, size - len(TAR_END)))
    end = file.read()
    if kind == "zip":
        return end[-ZIP_END_SIZE:].startswith(ZIP_END)
    if size % tarfile.BLOCKSIZE or end != TAR_END:
        return False
    # A file cut off among black pixels ends in zeros too, but lacks the last member.
    return kind != "idx" or _last_member(file).endswith(f"/{IDX_MANIFEST}")


def _is_whole_parquet(file: BinaryIO, size: int) -> bool:
    """By its end, which has the length of the footer before it."""
    file.seek(max(0, size - END.size))
    end = file.read()
    if len(end) < END.size:
        return False
    footer, magic = END.unpack(end)
    return bool(magic == MAGIC) and footer <= size - END.size - len(MAGIC)


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

    @property
    def size(self) -> int:
        return sum(run.size for run in self.runs())

    def runs(self) -> Iterator[Run]:
        pixels = self._frame[0] * self._frame[1]
        parts = {"train": range(self._dataset.start, self._dataset.stop), "t10k": self._dataset.tests}
        padding = b""
        for split, items in parts.items():
            size = 16 + len(items) * pixels
            head = tar_header(self._path(split, "images", 3), size) + _idx_header(len(items), *self._frame)
            yield Run(items, BLOCK, lambda count: count * pixels, _write_pixels, draws=True, head=padding + head)
            padding = tar_padding(size)
        for split, items in parts.items():
            size = 8 + len(items)
            head = tar_header(self._path(split, "labels", 1), size) + _idx_header(len(items))
            yield Run(items, IDX_LABELS_STEP, int, self._write_labels, head=padding + head)
            padding = tar_padding(size)
        told = tar_member(f"{self._folder}/{IDX_MANIFEST}", manifest(self._dataset, self._card))
        yield Run(NONE, 1, int, _write_pixels, head=padding + told + TAR_END)

    def _write_labels(self, items: range, _: Images) -> bytes:
        return self._dataset.labels(items).astype(np.uint8).tobytes()

    def _path(self, split: str, kind: str, dimensions: int) -> str:
        return f"{self._folder}/raw/{split}-{kind}-idx{dimensions}-ubyte"


def _write_pixels(_: range, images: Images) -> bytes:
    return images.tobytes()


@dataclass(frozen=True)
class WebDataset:
    """A tar of pairs `ITEM.png`, `ITEM.cls`, as the webdataset library reads them."""

    dataset: Dataset
    card: GeneratorCard

    @property
    def size(self) -> int:
        return len(self.dataset) * self._item_size + len(TAR_END)

    def runs(self) -> Iterator[Run]:
        items = range(self.dataset.start, self.dataset.stop)
        yield Run(items, BLOCK, lambda count: count * self._item_size, self._write, draws=True)
        yield once(len(TAR_END), lambda: TAR_END)

    @property
    def _item_size(self) -> int:
        """Two members, a PNG and a label of a few digits, each with a header."""
        shape = self.card.image
        png = stored_size(shape.height, shape.width, shape.channels)
        return png + len(tar_padding(png)) + 3 * tarfile.BLOCKSIZE

    def _write(self, items: range, images: Images) -> bytes:
        parts = []
        for item, label, png in zip(items, self.dataset.labels(items).tolist(), store_pngs(images), strict=True):
            parts += [tar_member(f"{item:019d}.png", png), tar_member(f"{item:019d}.cls", b"%d" % label)]
        return b"".join(parts)


class FolderZip:
    """PNGs in a folder a class, which torchvision's ImageFolder reads, and `manifest.json`."""

    size = None  # the directory at its end has a checksum of each PNG

    def __init__(self, dataset: Dataset, card: GeneratorCard) -> None:
        self._dataset, self._card = dataset, card
        self._folders = [folder_of(code.name) for code in card.space.classes] or ["image"]

    def runs(self) -> Iterator[Run]:
        archive = Zip()

        def write(items: range, images: Images) -> bytes:
            labels = self._dataset.labels(items).tolist()
            return b"".join(
                archive.member(f"{self._folders[label]}/{item:019d}.png", png)
                for item, label, png in zip(items, labels, encode_pngs(images), strict=True)
            )

        yield Run(range(self._dataset.start, self._dataset.stop), BLOCK, int, write, draws=True)
        told = manifest(self._dataset, self._card)
        yield once(0, lambda: archive.member("manifest.json", told) + archive.end())


def folder_of(name: str) -> str:
    """The folder of a class: its name, in which what would be a path is written as in a URL."""
    if name.strip(".") == "":
        return name.replace(".", "%2E")
    return name.replace("/", "%2F").replace("\\", "%5C").replace("\0", "%00")


def _idx_header(*shape: int) -> bytes:
    """The header of MNIST's files: the type, the number of dimensions, and each one's length."""
    return bytes([0, 0, IDX_UINT8, len(shape)]) + np.array(shape, ">i4").tobytes()
