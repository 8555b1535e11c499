"""What a person would say of how an image is drawn: its slant, thickness, size and brightness."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import interpolate

ENLARGED = 4
"""times, before strokes are told from the background: a stroke is two or three pixels wide"""

LIT = 0.5
"""of the brightest pixel, from which a pixel counts as drawn"""

Shape = Callable[[Tensor], NDArray[np.float64]]
"""From uint8 images (N, channels, H, W) to a number each (N,); NaN for one that is blank."""


def slant(images: Tensor) -> NDArray[np.float64]:
    """Degrees by which the upright leans to the right, by second moments."""
    ink, x, y = _coordinates(images)
    total = ink.sum((1, 2))
    x = x - ((ink * x).sum((1, 2)) / total)[:, None, None]
    y = y - ((ink * y).sum((1, 2)) / total)[:, None, None]
    lean = np.arctan2(-(ink * x * y).sum((1, 2)), (ink * y * y).sum((1, 2)))
    return np.asarray(np.degrees(lean))


def thickness(images: Tensor) -> NDArray[np.float64]:
    """Width of a stroke in pixels: four times the mean distance to its edge, which is exact for a long bar."""
    mask = _drawn(images)
    depths = [distance_transform_edt(one)[one].mean() if one.any() else np.nan for one in mask]
    # Pixels' centres are half a pixel nearer to the edge than the distance to the next centre says.
    return 4 * (np.array(depths) - 0.5) / ENLARGED + 1 / ENLARGED


def width(images: Tensor) -> NDArray[np.float64]:
    """Pixels from the leftmost drawn one to the rightmost."""
    return _extent(np.asarray(_drawn(images).any(1)))


def height(images: Tensor) -> NDArray[np.float64]:
    """Pixels from the topmost drawn one to the lowest."""
    return _extent(np.asarray(_drawn(images).any(2)))


def aspect(images: Tensor) -> NDArray[np.float64]:
    """Width over height."""
    return width(images) / height(images)


def brightness(images: Tensor) -> NDArray[np.float64]:
    """Mean of what is drawn, in [0, 1]."""
    ink, _, _ = _coordinates(images)
    lit = ink >= LIT * ink.max((1, 2), keepdims=True)
    return np.asarray((ink * lit).sum((1, 2)) / np.maximum(lit.sum((1, 2)), 1))


SHAPES: dict[str, Shape] = {
    "slant": slant,
    "thickness": thickness,
    "width": width,
    "height": height,
    "brightness": brightness,
    "aspect": aspect,
}


def _grey(images: Tensor) -> Tensor:
    """(N, H, W) in [0, 1]"""
    return images.float().mean(1) / 255


def _drawn(images: Tensor) -> NDArray[np.bool_]:
    """Which pixels belong to a stroke, of enlarged images (N, H', W')."""
    large = interpolate(_grey(images)[:, None], scale_factor=ENLARGED, mode="bilinear", align_corners=False)[:, 0]
    brightest = large.amax((1, 2), keepdim=True)
    found: NDArray[np.bool_] = ((large >= LIT * brightest) & (brightest > 0)).numpy()
    return found


def _extent(any_drawn: NDArray[np.bool_]) -> NDArray[np.float64]:
    first = any_drawn.argmax(1)
    last = any_drawn.shape[1] - any_drawn[:, ::-1].argmax(1)
    return np.where(any_drawn.any(1), (last - first) / ENLARGED, np.nan)


def _coordinates(images: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Ink (N, H, W), and each pixel's place (1, H, W) to the right and downwards."""
    ink = _grey(images).double().numpy()
    y, x = np.mgrid[: ink.shape[1], : ink.shape[2]].astype(np.float64)
    return np.where(ink.sum((1, 2), keepdims=True) > 0, ink, np.nan), x[None], y[None]
