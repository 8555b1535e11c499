"""What an answer will be, known before anything is drawn: the codes of its images, and where each came from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latent import Codes, GeneratorCard
from service.api.fields import Asked, ImagesRequest
from service.http.problems import Problem
from service.inference.generator import Runtime
from service.planning.codes import codes_of
from service.planning.provenance import ImageOrigin, Origin, SheetOrigin, Source, image_origin, sheet_origin, source_of

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    card: GeneratorCard
    digest: str
    seed: int
    index: int
    codes: Codes
    sources: Sequence[Source]
    """One a row of the codes."""
    asked: Asked | None = None
    """The request, where all images are of one seed in a row and of the same request."""
    failed: Mapping[int, Problem] = field(default_factory=dict)
    """What was wrong with the images that are not drawn, by their places among all."""
    columns: int | None = None
    """Of the sheet, which otherwise is about as wide as high."""

    def __len__(self) -> int:
        return len(self.sources) + len(self.failed)

    @cached_property
    def places(self) -> list[int]:
        """Those of the images that are drawn, among all."""
        return [place for place in range(len(self)) if place not in self.failed]

    @cached_property
    def origins(self) -> list[ImageOrigin]:
        """One a row of the codes."""
        rows = [self.codes[row : row + 1] for row in range(len(self.sources))]
        return [image_origin(self.card, self.digest, *row) for row in zip(rows, self.sources, strict=True)]

    @cached_property
    def whole(self) -> Origin:
        """What decides all of the images."""
        if self.asked is not None:
            return sheet_origin(self.card, self.digest, self.codes, self.sources[0], self.asked)
        # The request's seed, which the server may have chosen, decides nothing where each image has its own.
        first = self.sources[0]
        told: dict[str, Any] = {
            "model": self.card.name,
            "digest": self.digest,
            "seed": first.seed,
            "index": first.index,
        }
        besides = json.dumps([list(self.failed.items()), self.columns])
        images = "\n".join([*(origin.text() for origin in self.origins), besides])
        return SheetOrigin(**told, n=len(self), images=hashlib.sha256(images.encode()).hexdigest())

    def placed(self, images: Images) -> Images:
        """All images (N, H, W, channels) of those that were drawn: what failed is black."""
        if not self.failed:
            return images
        everything = np.zeros((len(self), *images.shape[1:]), np.uint8)
        everything[self.places] = images
        return everything


def in_a_row(body: ImagesRequest, runtime: Runtime, seed: int) -> Plan:
    """That of the images of one seed. Raises what `codes_of` does."""
    codes = codes_of(body, runtime.card.space, seed, body.index, body.n)
    sources = [source_of(body, seed, body.index + k) for k in range(body.n)]
    return Plan(runtime.card, runtime.digest, seed, body.index, codes, sources, asked=body)
