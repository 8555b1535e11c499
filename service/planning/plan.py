"""The plan of an answer, made before anything is drawn: the codes of its images, and where each came from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latent import Codes, ModelVersion
from latent.origin import LONGEST, Drawn, ImageOrigin, SheetOrigin
from service.errors import RequestError
from service.planning.codes import codes_of
from service.planning.point import AskedCodes
from service.planning.provenance import Source, drawn_from, image_origin, row_origin, source_of

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
    between: bool = False
    """Whether all images lie on the way from the first to the last."""

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
    def sheet_origin(self) -> SheetOrigin:
        """The origin of all images together."""
        first = self.sources[0]
        if self.asked is not None:
            return row_origin(self.version, self.codes, first, self.asked)
        sheet = SheetOrigin(
            model=self.version.name,
            digest=self.version.digest,
            # Each image has a seed of its own. The request's seed, perhaps the server's choice, decides nothing here.
            seed=first.seed,
            index=first.index,
            n=len(self),
            columns=self.columns,
            images=self._recorded,
        )
        text = sheet.text()
        if len(text) <= LONGEST:
            return sheet
        return sheet.model_copy(update={"images": hashlib.sha256(text.encode()).hexdigest()})

    @property
    def _recorded(self) -> list[Drawn | None]:
        """The codes of each image, None for a failed one; of the two ends alone, if the others lie between."""
        last = len(self.sources) - 1
        rows: Sequence[int] = (0, last) if self.between else range(last + 1)
        drawn = {
            self.places[row]: drawn_from(self.version.card.space, self.codes[row : row + 1], self.sources[row])
            for row in rows
        }
        return list(drawn.values()) if self.between else [drawn.get(place) for place in range(len(self))]

    @property
    def faults(self) -> str:
        """What was wrong with the images that cannot be drawn, as text."""
        return json.dumps([(place, error.problem()) for place, error in self.failed.items()]) if self.failed else ""

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
