"""The plan of an answer, made before anything is drawn: the codes of its images, and where each came from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latent import Codes, ModelVersion
from service.errors import RequestError
from service.planning.codes import codes_of
from service.planning.point import AskedCodes
from service.planning.provenance import ImageOrigin, Origin, SheetOrigin, Source, image_origin, sheet_origin, source_of

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """All that decides the images of an answer."""

    version: ModelVersion
    seed: int
    index: int
    codes: Codes
    sources: Sequence[Source]
    """One for each row of the codes."""
    asked: AskedCodes | None = None
    """The request's codes, if all images have them and are of one seed in a row."""
    failed: Mapping[int, RequestError] = field(default_factory=dict)
    """The faults of the images that cannot be drawn, by their places among all images."""
    columns: int | None = None
    """The columns of the sheet. If None, the sheet is about as wide as high."""

    def __len__(self) -> int:
        return len(self.sources) + len(self.failed)

    @cached_property
    def places(self) -> list[int]:
        """The places of the drawn images among all images."""
        return [place for place in range(len(self)) if place not in self.failed]

    @cached_property
    def origins(self) -> list[ImageOrigin]:
        """One for each row of the codes."""
        rows = [self.codes[row : row + 1] for row in range(len(self.sources))]
        return [image_origin(self.version, *row) for row in zip(rows, self.sources, strict=True)]

    @cached_property
    def sheet_origin(self) -> Origin:
        """The origin of all images together."""
        first = self.sources[0]
        if self.asked is not None:
            return sheet_origin(self.version, self.codes, first, self.asked)
        # Each image has a seed of its own. The request's seed, perhaps the server's choice, decides nothing here.
        members: dict[str, Any] = {
            "model": self.version.name,
            "digest": self.version.digest,
            "seed": first.seed,
            "index": first.index,
        }
        failed = [(place, error.problem()) for place, error in self.failed.items()]
        images = "\n".join([*(origin.text() for origin in self.origins), json.dumps([failed, self.columns])])
        return SheetOrigin(**members, n=len(self), images=hashlib.sha256(images.encode()).hexdigest())

    def fill(self, drawn: Images) -> Images:
        """All images (N, H, W, channels), from the drawn ones; failed images are black."""
        if not self.failed:
            return drawn
        images = np.zeros((len(self), *drawn.shape[1:]), np.uint8)
        images[self.places] = drawn
        return images


def plan_row(asked: AskedCodes, version: ModelVersion, seed: int, index: int, count: int) -> Plan:
    """Plan the images `index` to `index + count` of one seed. Raises the errors of `codes_of`."""
    codes = codes_of(asked, version.card.space, seed, index, count)
    sources = [source_of(asked, seed, index + k) for k in range(count)]
    return Plan(version, seed, index, codes, sources, asked=asked)
