"""The plan of an answer, made before anything is drawn: the codes of its images, and where each came from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latent import Codes, ModelVersion
from latent.origin import LONGEST
from service.errors import RequestError
from service.planning.codes import codes_of
from service.planning.point import AskedCodes
from service.planning.provenance import Source, asked_members, noise_members, records_of, source_of, version_members

Images = NDArray[np.uint8]


@dataclass
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
    count: int = field(init=False)
    """All images, those that cannot be drawn too."""

    def __post_init__(self) -> None:
        self.count = len(self.sources) + len(self.failed)

    @property
    def places(self) -> list[int]:
        """The places of the drawn images among all images."""
        return [place for place in range(self.count) if place not in self.failed]

    @cached_property
    def records(self) -> list[str]:
        """The codes of each drawn image, as JSON."""
        return records_of(self.version.card.space, self.codes, self.sources)

    @property
    def texts(self) -> list[str]:
        """What the file of each drawn image alone records: an `ImageOrigin`."""
        head = f"{{{version_members(self.version)},"
        return [head + record[1:] for record in self.records]

    def sheet_text(self) -> str:
        """What a file of all images together records: a `SheetOrigin`."""
        first, space = self.sources[0], self.version.card.space
        # Each image may have a seed of its own. The request's, perhaps the server's choice, then decides nothing.
        head = f'{version_members(self.version)},"seed":{first.seed},"index":{first.index},"n":{self.count}'
        if self.asked is not None:
            return f"{{{head}{asked_members(space, self.codes, self.asked)}{noise_members(self.codes, 0, first)}}}"
        if self.columns is not None:
            head += f',"columns":{self.columns}'
        text = f'{{{head},"images":[{",".join(self._recorded())}]}}'
        if len(text) <= LONGEST:
            return text
        return f'{{{head},"images":"{hashlib.sha256(text.encode()).hexdigest()}"}}'

    def _recorded(self) -> list[str]:
        """The codes of each image, null for a failed one; of the two ends alone, if the others lie between."""
        if self.between:
            return [self.records[0], self.records[-1]]
        drawn = dict(zip(self.places, self.records, strict=True))
        return [drawn.get(place, "null") for place in range(self.count)]

    @property
    def faults(self) -> str:
        """What was wrong with the images that cannot be drawn, as text."""
        return json.dumps([(place, error.problem()) for place, error in self.failed.items()]) if self.failed else ""

    def fill(self, drawn: Images) -> Images:
        """All images (N, H, W, channels), from the drawn ones; failed images are black."""
        if not self.failed:
            return drawn
        images = np.zeros((self.count, *drawn.shape[1:]), np.uint8)
        images[self.places] = drawn
        return images


def plan_row(asked: AskedCodes, version: ModelVersion, seed: int, index: int, count: int) -> Plan:
    """Plan the images `index` to `index + count` of one seed. Raises the errors of `codes_of`."""
    codes = codes_of(asked, version.card.space, seed, index, count)
    sources = [source_of(asked, seed, index + k) for k in range(count)]
    return Plan(version, seed, index, codes, sources, asked=asked)
