"""The cards inside the ONNX files of generators and recognisers, which say all that a server must know of them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, ValidationError

from latent.space import LatentSpace, NonEmpty, Part, Share

CARD_KEY = "faussaire.card"
"""The key of a generator's card in the ONNX file's `metadata_props`."""

RECOGNISER_KEY = "faussaire.recogniser"
"""The key of a recogniser's card."""

RECOGNISER_SUFFIX = ".recogniser.onnx"

MODEL_NAME = r"[a-z0-9][a-z0-9-]{0,62}"
"""The pattern of a generator's name."""

OLDER = (
    "the generator is of an older make: its arithmetic is not exact, and its pixels depend on the machine; "
    "make it exact: 'faussaire export FILE --output FILE'"
)

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

Card = TypeVar("Card", bound=Part)


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


class Framing(Part):
    """How the images of a data set lie in their frame, so that others can be laid the same way."""

    extent: int = Field(ge=1, le=4096, description="Pixels of the longer side of what is drawn, usually.")
    centred_by: Literal["mass", "box"] = Field(
        description="Whether the centre of the frame is the mean of the bright pixels, or the middle of their box."
    )


class GeneratorCard(Part):
    """The card inside `NAME.onnx`, a generator whose arithmetic is exact: `docs/reproducibility.md`."""

    contract: Literal[1] = 1
    name: Annotated[str, Field(pattern=f"^{MODEL_NAME}$")]
    version: NonEmpty
    data: Data
    image: ImageShape
    space: LatentSpace
    training: Training
    arithmetic: Literal["exact"] = Field(
        description="The generator computes with whole numbers held in float32, so that every machine draws the same "
        "pixels."
    )
    largest_sum: float = Field(
        ge=0,
        lt=1,
        description="The largest sum that a channel can reach, as a share of 2^24. Below 1, every sum is exact.",
    )
    proof: Digest = Field(description="SHA-256 of the pixels of the first 16 images of seed 0.")
    figures: tuple[Figure, ...] = ()

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read the card from an ONNX file's metadata. Raises InvalidCard."""
        return _read(cls, CARD_KEY, metadata)

    def to_metadata(self) -> dict[str, str]:
        return _written(self, CARD_KEY)

    def purity(self) -> Share | None:
        """Mean purity over the class codes, or None where none was measured."""
        measured = [code.purity for code in self.space.classes if code.purity is not None]
        return sum(measured) / len(measured) if measured else None


class RecogniserCard(Part):
    """The card inside `NAME.recogniser.onnx`, the way back from an image to the codes of the generator beside it.

    The file's input is `image` (N, H, W, channels), uint8; its outputs, float32, are `classes` (N, C), the weight of
    each class of the generator's card in its order, and `styles` (N, S), within the ranges of that card.
    """

    contract: Literal[1] = 1
    generator: Digest = Field(description="SHA-256 of the generator's file.")
    image: ImageShape
    framing: Framing
    classes: int = Field(ge=0)
    styles: int = Field(ge=0)
    figures: tuple[Figure, ...] = ()

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read the card from an ONNX file's metadata. Raises InvalidCard."""
        return _read(cls, RECOGNISER_KEY, metadata)

    def to_metadata(self) -> dict[str, str]:
        return _written(self, RECOGNISER_KEY)


def recogniser_path(generator: Path) -> Path:
    """The path of the recogniser of the generator `NAME.onnx`: `NAME.recogniser.onnx` beside it."""
    return generator.with_suffix(RECOGNISER_SUFFIX)


def files_of(generator: Path) -> list[Path]:
    """The file of a generator, and that of its recogniser if there is one."""
    recogniser = recogniser_path(generator)
    return [generator, recogniser] if recogniser.exists() else [generator]


def digest_of(path: Path) -> str:
    """The SHA-256 of a file of any size, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def signature_path(path: Path) -> Path:
    """Where the signature of a generator or a recogniser lies."""
    return path.with_name(f"{path.name}.sig")


def _read(card: type[Card], key: str, metadata: Mapping[str, str]) -> Card:
    if key not in metadata:
        raise InvalidCard(f"the file has no '{key}' metadata; export it with 'faussaire export'")
    try:
        return card.model_validate_json(metadata[key])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        older = (field, first["type"]) == ("arithmetic", "missing")
        raise InvalidCard(OLDER if older else f"card field '{field}': {first['msg']}") from None


def _written(card: Part, key: str) -> dict[str, str]:
    return {key: json.dumps(card.model_dump(mode="json"), separators=(",", ":"))}
