"""Whether a picture has the pixels of what its record says was drawn: draw it again, and compare."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from latent.depth import depth_of
from latent.origin import ImageOrigin, Origin, SheetOrigin
from latent.release import ModelVersion, version_label
from latent.sheet import enlarge, tile
from latent.space import Codes

Reason = Literal[
    "no-record", "unknown-version", "other-codes", "codes-not-recorded", "animation", "size-differs", "pixels-differ"
]

Pixels = NDArray[np.uint8]


class Picture(Protocol):
    """What is used of Pillow's pictures, which this package does not import."""

    @property
    def mode(self) -> str: ...

    @property
    def has_transparency_data(self) -> bool: ...

    def convert(self, mode: str) -> Any: ...


@dataclass(frozen=True)
class Differences:
    """Where a picture differs from what its record draws."""

    pixels: int
    """How many pixels differ."""
    box: tuple[int, int, int, int]
    """The left, upper, right and lower edge of all of them; right and lower are the first pixels beyond."""
    images: list[int]
    """The places of the images on the sheet that differ."""


class Unverified(Exception):
    """The picture is not what its record says, or has none."""

    def __init__(self, reason: Reason, detail: str, differences: Differences | None = None) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
        self.differences = differences


def no_record() -> Unverified:
    return Unverified(
        "no-record", "The picture has no record of its codes: it is not ours, or another tool removed the text chunk."
    )


def unknown_version(origin: Origin) -> Unverified:
    version = version_label(origin.model, origin.digest)
    return Unverified("unknown-version", f"There is no version '{version}' here that could draw it again.")


@dataclass(frozen=True)
class Claim:
    """That a version drew a picture of this size from the codes of the picture's record."""

    origin: Origin
    version: ModelVersion
    width: int
    height: int
    scale: int = field(default=1)
    """How many pixels a drawn pixel is wide and high."""

    @classmethod
    def of(cls, origin: Origin, version: ModelVersion, size: tuple[int, int]) -> Self:
        """Nothing is drawn yet. Raises Unverified if the record cannot be that of a picture of this size."""
        if not origin.is_of(version.card.space):
            raise Unverified("other-codes", f"The record has codes that '{version.name}' does not have.")
        if isinstance(origin, SheetOrigin) and isinstance(origin.images, str):
            raise Unverified(
                "codes-not-recorded", "The sheet's codes were too long to record; verify its images alone."
            )
        width, height = cls(origin, version, *size).drawn_size
        scale = size[0] // width
        if scale < 1 or size != (scale * width, scale * height):
            shown = f"{size[0]} x {size[1]}"
            raise Unverified(
                "size-differs", f"It is {shown} pixels; the record draws {width} x {height}, or a multiple."
            )
        return cls(origin, version, *size, scale)

    @property
    def drawn_size(self) -> tuple[int, int]:
        """Width and height of what the record draws."""
        return self.columns * self.version.card.image.width, self.rows * self.version.card.image.height

    def has_proportions(self) -> bool:
        """Whether the picture can be what the record draws, perhaps enlarged: not a part of it, nor more than it."""
        width, height = self.drawn_size
        return self.width >= width and abs(self.width * height - self.height * width) <= max(width, height)

    @property
    def count(self) -> int:
        """How many images the picture has."""
        return 1 if isinstance(self.origin, ImageOrigin) else self.origin.n

    @property
    def columns(self) -> int:
        given = None if isinstance(self.origin, ImageOrigin) else self.origin.columns
        return given or math.isqrt(self.count - 1) + 1

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    def codes(self) -> Codes:
        """One row for each image that is drawn."""
        return self.origin.codes(self.version.card.space)

    def check(self, picture: Picture, drawn: Pixels) -> None:
        """Compare the picture with the images (N, H, W, channels) of `codes`. Raises Unverified."""
        places = [0] if isinstance(self.origin, ImageOrigin) else self.origin.places
        images = np.zeros((self.count, *drawn.shape[1:]), np.uint8)
        images[places] = drawn
        differ = _differ(picture, enlarge(tile(images, self.columns), self.scale))
        if differ.any():
            found = self._locate(differ)
            raise Unverified(
                "pixels-differ", f"Pixels that differ from those that the record draws: {found.pixels}.", found
            )

    def _locate(self, differ: NDArray[np.bool_]) -> Differences:
        image = self.version.card.image
        down, across = np.nonzero(differ)
        box = (int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1)
        places = down // (image.height * self.scale) * self.columns + across // (image.width * self.scale)
        return Differences(len(down), box, [int(place) for place in np.unique(places)])


def _differ(picture: Picture, expected: Pixels) -> NDArray[np.bool_]:
    """Which pixels (h, w) differ from those expected (h, w, channels). A pixel that is not opaque differs."""
    if picture.mode.startswith("I"):
        levels = np.asarray(picture)[:, :, None]
        white = (1 << depth_of(levels)) - 1  # 255 where a file of 16 bits holds 8
        return np.asarray((levels != expected.astype(np.int32) * (white // 255)).any(axis=2))
    if picture.mode in ("L", "RGB") and not picture.has_transparency_data:
        found = np.asarray(picture)
        return np.asarray((found.reshape(*found.shape[:2], -1) != expected).any(axis=2))
    found = np.asarray(picture.convert("RGBA"))
    return np.asarray((found[:, :, :3] != expected).any(axis=2) | (found[:, :, 3] != 255))


def describe(origin: Origin) -> dict[str, Any]:
    """The record as plain JSON has it."""
    return origin.model_dump(by_alias=True, exclude_none=True)
