"""A request's body as a picture: what it declares is looked at first, and its pixels only then."""

import io

import numpy as np
from PIL import Image, ImageOps

from service.errors import BrokenImage, NotAnImage, TooManyPixels

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}
"""The formats that are read, and their media types. Pillow knows many more, less used and less sure."""


def opened(content: bytes, max_pixels: int) -> Image.Image:
    """A picture whose pixels have not been read yet. Raises NotAnImage and TooManyPixels."""
    try:
        picture = Image.open(io.BytesIO(content), formats=list(FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(max_pixels) from None
    except Exception as error:  # Pillow's readers of formats raise anything
        detail = "Send a PNG, JPEG, WebP, GIF or BMP file as the whole body, as curl's --data-binary @FILE does."
        raise NotAnImage("body", detail) from error
    if picture.width * picture.height > max_pixels:
        raise _too_large(max_pixels)
    return picture


def decoded(picture: Image.Image) -> Image.Image:
    """The same picture, its pixels read and the right way up. Raises BrokenImage."""
    try:
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
    except Exception as error:  # Pillow's decoders raise anything
        raise BrokenImage("body", "The file begins as an image and then breaks off or contradicts itself.") from error
    if picture.mode.startswith("I;16"):
        # Converted by Pillow, all that is brighter than 255 of 65,535 would be white.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture


def _too_large(max_pixels: int) -> TooManyPixels:
    return TooManyPixels("body", f"Send an image of at most {max_pixels} pixels; some hundreds a side are plenty.")
