"""Pictures of any size, depth and transparency as pixels of one shape."""

import io
import statistics
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from torch import Tensor

from latent.depth import depth_of, to_bytes
from training.errors import DataUnavailable

SIDES = (8, 64)
"""The least and the greatest height and width, in pixels."""
SIDE_STEP = 4
"""The networks halve height and width twice."""
QUARTER_TURNED = 5
"""From this Exif orientation on, height and width change places."""
BYTE = 8
"""Bits of a level that need no scaling."""
LEAST_RANGE = 8
"""The least range of the levels of all pictures. Masks of 0 and 1 would be black."""
SHALLOW = 1 << 6
"""If the upper 8 bits of 16-bit colours are all below this, the colours fill 14 bits or fewer."""

Pixels = NDArray[np.uint8]
Levels = NDArray[Any]
"""(H, W, channels) of 8 or 16 bits; with two or four channels, the last is the opacity."""


@dataclass(frozen=True)
class Picture:
    """One picture of a class, as it was found."""

    name: str
    """In its data set, such as `cats/1.png`."""
    label: str
    content: Path | bytes | Levels
    where: str
    """The file, for a person who looks for it."""


@dataclass(frozen=True)
class Survey:
    """What must be known of all pictures before any is laid out."""

    width: int
    height: int
    depth: int = BYTE
    upper: int | None = None
    """The greatest of the upper 8 bits of a colour of 16; None if the file has no such colours."""
    light: float = 0.0
    opacity: float = 0.0
    """Sums over the pixels of a picture with transparent ones: of the luminance where it is opaque, in [0, 1] a pixel,
    and of the opacity."""


def lay_out(pictures: Sequence[Picture], size: tuple[int, int] | None) -> Tensor:
    """Images uint8 (N, channels, H, W) of `size`, which is (H, W). Raises DataUnavailable.

    Without a size, H and W are the medians, to the nearest multiple of 4 from 8 to 64. A picture is scaled to fit
    inside with its aspect kept, and centred on the colour of its own border. Transparent parts become black or white,
    for all pictures the one that differs more from what is opaque; a picture that would vanish gets the other. 16-bit
    pictures have one depth in common. There is one channel where no image has colour, else three.
    """
    with ThreadPoolExecutor() as pool:
        surveys = list(pool.map(_survey, pictures))
        frame = size or (_side(survey.height for survey in surveys), _side(survey.width for survey in surveys))
        depth = max(survey.depth for survey in surveys)
        _check_colours(pictures, surveys)
        paint = partial(_paint, size=frame, depth=depth, ground=_choose_ground(surveys))
        images = torch.from_numpy(np.stack(list(pool.map(paint, pictures))))  # (N, H, W, 3)
    least, most = int(images.min()), int(images.max())
    if most - least < LEAST_RANGE:
        found = "alike" if least == most else f"from {least} to {most} of 0 to 255"
        raise DataUnavailable(
            f"{pictures[0].where} and the other pictures show nothing: all their pixels are {found}; check what drew "
            "them, and scale its levels to 0 to 255"
        )
    grey = bool((images == images[..., :1]).all())
    return images[..., : 1 if grey else 3].permute(0, 3, 1, 2).contiguous()


def _check_colours(pictures: Sequence[Picture], surveys: Sequence[Survey]) -> None:
    """Raises DataUnavailable."""
    deep = [
        (survey.upper, picture) for survey, picture in zip(surveys, pictures, strict=True) if survey.upper is not None
    ]
    if deep and max(upper for upper, _ in deep) < SHALLOW:
        raise DataUnavailable(
            f"{deep[0][1].where}: its colours have 16 bits, but fill 14 or fewer, and would be nearly black; save "
            "it and the others with 8 bits"
        )


def _choose_ground(surveys: Iterable[Survey]) -> int:
    """Black or white, by the luminance of what is opaque, as the service chooses it for a picture to read."""
    light, opacity = map(sum, zip(*((survey.light, survey.opacity) for survey in surveys), strict=True))
    return 0 if 2 * light > opacity else 255


def _side(lengths: Iterable[int]) -> int:
    nearest = round(statistics.median(lengths) / SIDE_STEP) * SIDE_STEP
    return min(max(nearest, SIDES[0]), SIDES[1])


def _survey(picture: Picture) -> Survey:
    """Look at the header if that says enough, else at the pixels."""
    if isinstance(picture.content, Path | bytes):
        with _reading(picture) as file, Image.open(file) as image:
            deep = _has_deep_colours(image)  # first: to look for Exif may read the pixels, and then nothing tells
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= QUARTER_TURNED
            width, height = (image.height, image.width) if turned else image.size
            if not deep and image.mode[0] not in "FI" and not image.has_transparency_data:
                return Survey(width, height)
    else:
        deep = False
    colours, opacity = _part(_decode(picture))
    height, width = colours.shape[:2]
    depth, upper = depth_of(colours), int(colours.max()) if deep else None
    if opacity is None:
        return Survey(width, height, depth, upper)
    light = colours.mean(2) / ((1 << depth) - 1)
    return Survey(width, height, depth, upper, float((light * opacity).sum()), float(opacity.sum()))


def _paint(picture: Picture, *, size: tuple[int, int], depth: int, ground: int) -> Pixels:
    """The picture in its frame: (H, W, 3)."""
    colours, opacity = _part(_decode(picture))
    pixels = to_bytes(colours, depth) if colours.dtype != np.uint8 else colours
    if opacity is None:
        return _fit(pixels, size, np.median(_border(pixels), axis=0))
    on_ground = _composite(pixels, opacity, ground)
    if (on_ground == ground).all():
        ground = 255 - ground
        on_ground = _composite(pixels, opacity, ground)
    return _fit(on_ground, size, np.full(pixels.shape[2], ground))


def _composite(pixels: Pixels, opacity: NDArray[np.float64], ground: int) -> Pixels:
    mixed: Pixels = np.rint(ground + (pixels - float(ground)) * opacity[:, :, None]).astype(np.uint8)
    return mixed


def _fit(pixels: Pixels, size: tuple[int, int], around: NDArray[np.generic]) -> Pixels:
    """Scale (H, W, channels) to fit inside `size`, centred on the colour (channels,): (H, W, 3)."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    scale = min(size[0] / image.height, size[1] / image.width)
    width, height = (max(1, round(side * scale)) for side in image.size)
    colour = np.broadcast_to(np.rint(around), 3).astype(int).tolist()
    canvas = Image.new("RGB", (size[1], size[0]), tuple(colour))
    fitted = image.resize((width, height), Image.Resampling.LANCZOS)
    canvas.paste(fitted, ((size[1] - width) // 2, (size[0] - height) // 2))
    return np.array(canvas)


def _border(pixels: Pixels) -> Pixels:
    """The outermost pixels: (count, channels)."""
    edges = pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]
    return np.concatenate(edges)


def _part(levels: Levels) -> tuple[Levels, NDArray[np.float64] | None]:
    """The colours (H, W, 1 or 3), and the opacity (H, W) in [0, 1] if there is one."""
    channels = levels.shape[2]
    if channels in (1, 3):
        return levels, None
    colours, opacity = levels[:, :, :-1], levels[:, :, -1]
    opaque = (1 << depth_of(opacity)) - 1
    return colours, None if opacity.min() == opaque else opacity / opaque


def _decode(picture: Picture) -> Levels:
    """The upright picture."""
    if not isinstance(picture.content, Path | bytes):
        return picture.content
    with _reading(picture) as file, Image.open(file) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode[0] in "FI":
            return _whole_levels(upright)
        if upright.has_transparency_data:
            return np.asarray(upright.convert("RGBA"))
        pixels = np.asarray(upright.convert("L" if upright.mode in ("1", "L") else "RGB"))
        return pixels.reshape(*pixels.shape[:2], -1)


def _has_deep_colours(image: Image.Image) -> bool:
    """Whether the file has 16 bits for each colour, of which Pillow keeps the upper 8."""
    return image.mode[0] not in "FI" and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _whole_levels(image: Image.Image) -> Levels:
    """(H, W, 1) of a grey picture with more than 8 bits. Raises ValueError for what 16 bits do not hold."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() >= 1 << 16:
        raise ValueError("it has pixels of more than 16 bits; save it with 16 or 8")
    return values.astype(np.uint16)[:, :, None]


@contextmanager
def _reading(picture: Picture) -> Iterator[io.BytesIO]:
    """The file of a picture. Every error of a decoder becomes DataUnavailable, and names the file."""
    try:
        content = picture.content.read_bytes() if isinstance(picture.content, Path) else picture.content
        assert isinstance(content, bytes)
        yield io.BytesIO(content)
    except Exception as error:  # decoders raise whatever the damage happens to look like
        cause = "it is damaged, or is no picture"
        if isinstance(error, Image.DecompressionBombError) or type(error) is ValueError:
            cause = str(error)
        if isinstance(error, OSError) and error.strerror:  # of the file, as a link that leads nowhere
            cause = error.strerror
        raise DataUnavailable(
            f"{picture.where} cannot be read as a picture: {cause}; replace it, or move it elsewhere"
        ) from error
