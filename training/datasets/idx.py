"""The files of MNIST and its kin, wherever they lie and whether they are packed or not."""

import gzip
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import DataUnavailable

UINT8 = 0x08
KINDS = {"images": 3, "labels": 1}
"""What the files hold, with the number of dimensions."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class IdxFiles:
    """The files of both splits, as far as they are there."""

    folder: Path
    """Where they lie, or are expected."""
    stem: str
    """What precedes the split in their names."""
    splits: tuple[str, str]
    """What the names call the one to train on and the one to test on."""

    @classmethod
    def find(cls, data_dir: Path, folder: str, stem: str, splits: tuple[str, str]) -> "IdxFiles":
        """In `data_dir/FOLDER/raw`, as torchvision keeps them, or in one of the folders above."""
        places = [data_dir / folder / "raw", data_dir / folder, data_dir / "raw", data_dir]
        found = [cls(place, stem, splits) for place in places]
        return next((files for files in found if files.present()), found[0])

    def present(self) -> bool:
        """Whether any of the files is there."""
        return any(self._path(split, kind) is not None for split in self.splits for kind in KINDS)

    def read(self, *, train: bool) -> tuple[Pixels, Pixels]:
        """Images (N, H, W) and labels (N,). Raises DataUnavailable."""
        split = self.splits[0 if train else 1]
        images, labels = (self._read(split, kind) for kind in KINDS)
        if len(images) != len(labels):
            raise DataUnavailable(
                f"{self.folder}: {self._name(split, 'images')} has {len(images)} images and "
                f"{self._name(split, 'labels')} has {len(labels)} labels; bring back the files that belong together"
            )
        return images, labels

    def drawn_classes(self) -> tuple[str, ...] | None:
        """The names of the labels 0, 1, ... in the manifest of files that a generator drew; else None."""
        for folder in (self.folder, self.folder.parent):
            path = folder / "manifest.json"
            try:
                return tuple(json.loads(path.read_text(encoding="utf-8"))["classes"])
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (ValueError, KeyError, TypeError):
                raise DataUnavailable(
                    f"{path} does not say the classes of the images; bring it back from the tar that it was in"
                ) from None
        return None

    def _name(self, split: str, kind: str) -> str:
        return f"{self.stem}{split}-{kind}-idx{KINDS[kind]}-ubyte"

    def _path(self, split: str, kind: str) -> Path | None:
        plain = self._name(split, kind)
        names = [plain, plain.replace("-idx", ".idx")]
        paths = [self.folder / f"{name}{packed}" for name in names for packed in ("", ".gz")]
        return next((path for path in paths if path.is_file()), None)

    def _read(self, split: str, kind: str) -> Pixels:
        path = self._path(split, kind)
        if path is None:
            raise DataUnavailable(
                f"{self.folder} has no {self._name(split, kind)}, packed as .gz or not; put it there, or name another "
                "folder with --data-dir"
            )
        return read_idx(path, KINDS[kind])


def read_idx(path: Path, dimensions: int) -> Pixels:
    """Raises DataUnavailable."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    except (gzip.BadGzipFile, EOFError, zlib.error, struct.error) as error:
        raise _damaged(path, "it ends early, or is not what its name says") from error
    if content[:4] != bytes([0, 0, UINT8, dimensions]):
        raise _damaged(path, "it does not begin as an IDX file of bytes does")
    wanted, held = int(np.prod(shape, dtype=object)), len(content) - 4 - 4 * dimensions
    if wanted != held:
        raise _damaged(path, f"it has {held:,} bytes of data where its header says {wanted:,}")
    return np.frombuffer(bytearray(content), np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _damaged(path: Path, what: str) -> DataUnavailable:
    return DataUnavailable(f"{path} is damaged: {what}; replace it, or name another folder with --data-dir")
