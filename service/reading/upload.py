"""A request's body as a picture. Its header is checked before its pixels are read."""

import io

import numpy as np
from PIL import Image, ImageOps

from latent.depth import depth_of, to_bytes
from latent.origin import KEYWORD, ImageOrigin, SheetOrigin, parse_origin
from service.errors import BrokenImage, NotAnImage, TooManyPixels

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}
"""The formats that the service reads, with their media types. Pillow's other readers are less used and less safe."""


def open_picture(content: bytes, max_pixels: int) -> Image.Image:
    """Open a picture without reading its pixels. Raises NotAnImage and TooManyPixels."""
    try:
        picture = Image.open(io.BytesIO(content), formats=list(FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(max_pixels) from None
    except Exception as error:  # Pillow's readers raise anything
        detail = "Send a PNG, JPEG, WebP, GIF or BMP file as the whole body, as curl's --data-binary @FILE does."
        raise NotAnImage("body", detail) from error
    if picture.width * picture.height > max_pixels:
        raise _too_large(max_pixels)
    return picture


def load(picture: Image.Image) -> None:
    """Read the pixels. Raises BrokenImage."""
    try:
        picture.load()
    except Exception as error:  # Pillow's decoders raise anything
        raise _broken() from error


def read_origin(picture: Image.Image) -> ImageOrigin | SheetOrigin | None:
    """The origin that a picture's text chunk records, if it is one of ours. Raises BrokenImage.

    Some tools write text behind the pixels, so these are read first.
    """
    load(picture)
    text = picture.info.get(KEYWORD)
    return parse_origin(text) if isinstance(text, str) else None


def decode(picture: Image.Image) -> Image.Image:
    """Read the pixels and turn the picture upright. Raises BrokenImage."""
    load(picture)
    try:
        ImageOps.exif_transpose(picture, in_place=True)
    except Exception as error:  # the orientation is the file's own word
        raise _broken() from error
    if picture.mode.startswith("I;16"):
        # Pillow's own conversion makes everything above 255 of 65,535 white.
        levels = np.asarray(picture)
        return Image.fromarray(to_bytes(levels, depth_of(levels)))
    return picture


def _broken() -> BrokenImage:
    return BrokenImage("body", "The file begins as an image, but then ends early or contradicts itself.")


def _too_large(max_pixels: int) -> TooManyPixels:
    return TooManyPixels("body", f"Send an image of at most {max_pixels} pixels; some hundreds a side are plenty.")
