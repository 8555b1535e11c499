"""A request's body as a picture. Its header is checked before its pixels are read."""

import io
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latent.depth import DEPTHS, depth_of, to_bytes
from latent.metadata import read_orientation, read_record, strip_metadata
from latent.origin import Origin
from latent.png import SIGNATURE
from service.errors import BrokenImage, NotAnImage, TooManyPixels

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}
"""The formats that the service reads, with their media types. Pillow's other readers are less used and less safe."""

BEGINNINGS = re.compile(rb"\x89PNG\r\n|\xff\xd8\xff|RIFF....WEBP|GIF8[79]a|BM.{12}[\x0c\x28\x6c\x7c]\0\0\0", re.DOTALL)
"""What a file of each format begins with."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture of each Exif orientation the right way up."""

LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}
"""Pillow reads the high bytes of colours of 16 bits. So it reads the low bytes; of grey and alpha, all four bytes."""


DEPTH_PLACE = 24
"""Where a PNG says how many bits a level has."""


@dataclass(frozen=True)
class Upload:
    picture: Image.Image
    file: bytes
    """Without metadata."""
    origin: Origin | None
    """What the file records of itself."""
    orientation: int
    """Which way is up, as Exif has it."""


def open_upload(content: bytes, max_pixels: int) -> Upload:
    """Open a picture and read its pixels and its record. Raises NotAnImage, TooManyPixels and BrokenImage."""
    file = strip_metadata(content)
    picture = _open(file, max_pixels)
    _load(picture)
    exif = content if picture.format in ("PNG", "JPEG") else picture.info.get("exif", b"")
    return Upload(picture, file, read_record(content), read_orientation(exif))


def decode(upload: Upload) -> Image.Image:
    """The picture, the right way up, with 8 bits a channel. Raises BrokenImage."""
    picture = _reduce_depth(upload)
    method = TURNS.get(upload.orientation)
    return picture if method is None else picture.transpose(method)


def _open(file: bytes, max_pixels: int) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(file), formats=list(FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(max_pixels) from None
    except Exception as error:  # Pillow's readers raise anything
        if BEGINNINGS.match(file):
            raise _broken() from error
        detail = "Send a PNG, JPEG, WebP, GIF or BMP file as the whole body, as curl's --data-binary @FILE does."
        raise NotAnImage("body", detail) from error
    if picture.width * picture.height > max_pixels:
        raise _too_large(max_pixels)
    return picture


def _load(picture: Image.Image) -> None:
    try:
        picture.load()
    except Exception as error:  # Pillow's decoders raise anything
        raise _broken() from error


def _reduce_depth(upload: Upload) -> Image.Image:
    """8 bits a channel, of however many bits the levels fill."""
    picture = upload.picture
    if picture.mode.startswith("I;16"):
        levels = np.asarray(picture)
        return Image.fromarray(to_bytes(levels, depth_of(levels)))
    if not (upload.file.startswith(SIGNATURE) and upload.file[DEPTH_PLACE] == DEPTHS[-1]):
        return picture
    high = np.asarray(picture)
    if high[:, :, :3].max() >= 1 << (DEPTHS[-2] - 8):
        return picture  # more than the next depth would hold, so the high bytes say all
    levels = _levels(upload.file, high)
    parts = [to_bytes(part, depth_of(part)) for part in (levels[:, :, :3], levels[:, :, 3:])]
    return Image.fromarray(np.concatenate(parts, axis=2))


def _levels(file: bytes, high: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """All bits of colours of 16 bits, (h, w, channels), by their high bytes and a second look at the file."""
    picture = Image.open(io.BytesIO(file))
    raw = str(picture.tile[0].args)
    picture.tile = [tile._replace(args=LOW_BYTES[raw]) for tile in picture.tile]
    low = np.asarray(picture)
    if raw == "LA;16B":
        low = low[:, :, [1, 1, 1, 3]]
    return np.asarray(high.astype(np.uint16) << 8 | low)


def _broken() -> BrokenImage:
    return BrokenImage("body", "The file begins as an image, but then ends early or contradicts itself.")


def _too_large(max_pixels: int) -> TooManyPixels:
    return TooManyPixels("body", f"Send an image of at most {max_pixels} pixels; some hundreds a side are plenty.")
