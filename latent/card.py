"""The card inside every generator's ONNX file, which says all that a server must know of it."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError

from latent.space import LatentSpace, NonEmpty, Part, Share

CARD_KEY = "faussaire.card"
"""The key of the card in the ONNX file's `metadata_props`."""


class InvalidCard(ValueError):
    """The file has no card, or one that breaks the contract; the message names the field."""


class ImageShape(Part):
    height: int = Field(ge=1, le=4096)
    width: int = Field(ge=1, le=4096)
    channels: Literal[1, 3]


class Data(Part):
    name: NonEmpty
    licence: str
    source: str


class Training(Part):
    """How the weights came to be."""

    preset: NonEmpty
    network: NonEmpty
    objective: NonEmpty
    codes: NonEmpty
    seed: int
    epochs: float
    images: int = Field(description="Real images seen, each as often as it was seen.")
    seconds: float
    device: str
    parameters: int


class Figure(Part):
    """One measured number and the protocol that it came from."""

    name: NonEmpty
    value: float
    protocol: str


class GeneratorCard(Part):
    contract: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    version: NonEmpty
    data: Data
    image: ImageShape
    space: LatentSpace
    training: Training
    figures: tuple[Figure, ...] = ()

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read the card from an ONNX file's metadata. Raises InvalidCard."""
        if CARD_KEY not in metadata:
            raise InvalidCard(f"the file has no '{CARD_KEY}' metadata; export it with 'faussaire export'")
        try:
            return cls.model_validate_json(metadata[CARD_KEY])
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "card"
            raise InvalidCard(f"card field '{field}': {first['msg']}") from None

    def to_metadata(self) -> dict[str, str]:
        return {CARD_KEY: json.dumps(self.model_dump(mode="json"), separators=(",", ":"))}

    def purity(self) -> Share | None:
        """Mean purity over the class codes, or None where none was measured."""
        measured = [code.purity for code in self.space.classes if code.purity is not None]
        return sum(measured) / len(measured) if measured else None
