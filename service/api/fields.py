"""What may be asked of `POST /v1/images` and `GET /v1/image`, and the fields that other requests share with them."""

import secrets
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, StringConstraints

from latent.noise import SEED_LIMIT

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
DRAWN_SEEDS = 2**53
"""Seeds that the server chooses are below it: JavaScript's numbers hold them exactly."""

INDEX_LIMIT = SEED_LIMIT // 2

STYLES = r"^-?\d{1,3}(\.\d{1,9})?(,-?\d{1,3}(\.\d{1,9})?)*$"
"""Decimal numbers with commas between."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=SEED_LIMIT)]
Index = Annotated[int, Field(ge=0, lt=INDEX_LIMIT)]
Truncation = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="What the noise is multiplied by: nearer to 0, images are more typical and less varied.",
    ),
]
Scale = Annotated[
    int, Field(ge=1, le=16, description="How many pixels wide and high each pixel becomes; 1 only for `npy`.")
]
Model = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=128)] | None,
    Field(
        description="A name of `GET /v1/models`, or `NAME@` and the first 12 digits at least of the digest of one of "
        "its versions; the default model when absent."
    ),
]
Still = Literal["png", "sheet", "zip", "json", "npy"]


class Asked(BaseModel):
    """The codes of an image; what is left out is drawn by its seed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    class_: Name | Annotated[int, Field(ge=0)] | dict[Name, Weight] | None = Field(
        default=None,
        alias="class",
        description="The class by name, or by its place in the card; or a blend: weights by name, of which only the "
        "proportions count, since they are normalised to sum 1. Drawn for each image when absent.",
    )
    style: list[Number] | dict[str, Number] | None = Field(
        default=None,
        description="The style codes in the card's order, or by name; what is absent is drawn for each image.",
    )
    noise: list[Number] | None = Field(
        default=None,
        description="The noise itself, as many numbers as the card's `noise_size`: from -1 to 1 where it is uniform, "
        "from -10 to 10 where it is normal. Drawn by seed and index when absent.",
    )
    truncation: Truncation = 1.0


class Point(Asked):
    """One image: its codes, and the seed and index that draw what is left out."""

    model_config = ConfigDict(title="Point")

    seed: Seed | None = Field(
        default=None, description="Decides all that is drawn; when absent, the request says whose it is."
    )
    index: Index | None = Field(
        default=None, description="Which image of the seed; when absent, 0 of a seed given here, else the request's."
    )


class ImagesRequest(Asked):
    """Codes and a seed, or items with codes of their own each; every field may be left out."""

    model_config = ConfigDict(
        title="Images",
        json_schema_extra={
            "examples": [
                {"class": "7", "style": [0.5, -0.5], "seed": 1, "n": 4},
                {"class": {"3": 0.5, "8": 0.5}, "seed": 1, "n": 9, "truncation": 0.7, "scale": 4},
                {"items": [{"class": "7"}, {"class": {"4": 1, "9": 2}, "seed": 5}], "seed": 1, "format": "json"},
            ]
        },
    )

    model: Model = None
    seed: Seed | None = Field(
        default=None,
        description="Decides all that is drawn; chosen by the server, and told in `Faussaire-Seed`, when absent.",
    )
    index: Index = Field(
        default=0,
        description="Which image of the seed comes first: image 7 of a request for many is `index` 7 alone.",
    )
    n: int = Field(default=1, ge=1, description="How many images.")
    items: Annotated[list[SkipValidation[Point]], Field(min_length=1)] | None = Field(
        default=None,
        description="Images with codes of their own each, as many as `n` may be, in place of `n`, `class`, `style` and "
        "`noise`. An item without a seed has the request's, and as its index the request's plus the item's place; "
        "without a truncation, the request's. One that is not valid fails alone: its place is in `Faussaire-Failed`, "
        "its tile black, and JSON and zip say what was wrong.",
    )
    format: Still | None = Field(
        default=None,
        description="`png`, the image, or a sheet of several; `sheet`, always a sheet; `zip`, a PNG an image and "
        "`manifest.json`; `json`, PNGs in base64; `npy`, NumPy's format: uint8 (N, height, width, channels). When "
        "absent, what `Accept` likes most, and else `png`.",
    )
    scale: Scale = 1


class ImageQuery(BaseModel):
    """One image by query string; every parameter may be left out."""

    model_config = ConfigDict(extra="forbid")

    model: Model = None
    version: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12,64}$")] | None = Field(
        default=None,
        description="Of the versions of `model`, that of this digest, or of its first 12 digits at least: the image "
        "then never changes.",
    )
    class_: Name | None = Field(
        default=None, alias="class", description="The class by name; drawn by the seed when absent.", examples=["7"]
    )
    style: Annotated[str, StringConstraints(pattern=STYLES)] | None = Field(
        default=None,
        description="Style codes with commas between, in the card's order; what is absent is drawn by the seed.",
        examples=["0.5,-0.5"],
    )
    seed: Seed = Field(default=0, description="Decides all that is drawn.")
    index: Index = Field(default=0, description="Which image of the seed.")
    truncation: Truncation = 1.0
    scale: Scale = 1

    @property
    def names_version(self) -> bool:
        """Whether it says which file it means."""
        return self.version is not None or "@" in (self.model or "")

    def images_request(self) -> ImagesRequest:
        """The same as a body of `POST /v1/images`."""
        styles = None if self.style is None else [float(value) for value in self.style.split(",")]
        fields = self.model_dump(include={"model", "seed", "index", "truncation", "scale"})
        return ImagesRequest.model_validate(fields | {"class": self.class_, "style": styles})


def seed_of(request_seed: int | None) -> int:
    """The seed that was asked for, or one that the server chooses."""
    return secrets.randbelow(DRAWN_SEEDS) if request_seed is None else request_seed
