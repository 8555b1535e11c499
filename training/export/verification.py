"""Whether the generators of a folder drew a picture."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from latent import ModelVersion
from latent.card import RECOGNISER_SUFFIX, digest_of
from latent.metadata import read_record, strip_metadata
from latent.origin import Origin
from latent.verification import Claim, Unverified, no_record, unknown_version
from training.errors import InvalidFolder, InvalidPicture
from training.export.model import Model

BATCH = 256


@dataclass(frozen=True)
class Found:
    """A picture that is ours, and what drew it."""

    origin: Origin
    version: ModelVersion


class Verifier:
    """Draws pictures again with the generators of a folder, each opened when a picture first names it."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidFolder."""
        files = [path for path in sorted(folder.glob("*.onnx")) if not path.name.endswith(RECOGNISER_SUFFIX)]
        if not files:
            raise InvalidFolder(f"{folder} has no .onnx file; name the folder of the generators with --models")
        self._files = {digest_of(path): path for path in files}
        self._open = cache(Model)

    def verify(self, path: Path) -> Found:
        """Raises Unverified, InvalidPicture and InvalidModel."""
        content = _read(path)
        picture, origin = _open_picture(path, content), read_record(content)
        if origin is None:
            raise no_record()
        if origin.digest not in self._files:
            raise unknown_version(origin)
        if getattr(picture, "is_animated", False):
            raise Unverified("animation", "Animations cannot be verified; ask for the frames as a sheet.")
        model = self._open(self._files[origin.digest])
        version = ModelVersion(model.card, origin.digest)
        if version.name != origin.model:
            raise unknown_version(origin)
        claim = Claim.of(origin, version, picture.size)
        claim.check(picture, model.generate(claim.codes(), BATCH))
        return Found(origin, version)


def _read(path: Path) -> bytes:
    """Raises InvalidPicture."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidPicture(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InvalidPicture(f"{path} is a folder; name image files") from None
    except OSError as error:
        raise InvalidPicture(f"{path} cannot be read: {error.strerror}") from error


def _open_picture(path: Path, content: bytes) -> Image.Image:
    """Raises InvalidPicture."""
    try:
        with Image.open(io.BytesIO(strip_metadata(content))) as picture:
            picture.load()
            return picture
    except Exception as error:  # Pillow's readers raise anything
        raise InvalidPicture(f"{path} is not an image that can be read") from error
