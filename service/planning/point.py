"""A point of the latent space as a request names it; the seed draws what the request leaves out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from latent.origin import Index, Name, Number, Seed

Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Truncation = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="The noise is multiplied by this. Near 0, images are typical and alike; at 1 they vary most.",
    ),
]


class AskedCodes(BaseModel):
    """The codes of an image; the seed draws what is absent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    class_: Name | Annotated[int, Field(ge=0)] | dict[Name, Weight] | None = Field(
        default=None,
        alias="class",
        description="A class by name, or by its place in the card; or a blend: weights by class name, which the "
        "service normalises to sum 1. Drawn for each image if absent.",
    )
    style: list[Number] | dict[str, Number] | None = Field(
        default=None,
        description="Style codes in the card's order, or by name. Absent codes are drawn for each image.",
    )
    noise: list[Number] | None = Field(
        default=None,
        description="The noise itself: as many numbers as the card's `noise_size`, from -1 to 1 if the noise is "
        "uniform, from -10 to 10 if it is normal. Drawn by seed and index if absent.",
    )
    truncation: Truncation = 1.0


class Point(AskedCodes):
    """One image: its codes, and the seed and index that draw what is absent."""

    model_config = ConfigDict(title="Point")

    seed: Seed | None = Field(default=None, description="Decides all that is drawn. The request's if absent.")
    index: Index | None = Field(
        default=None,
        description="Which image of the seed. If absent: 0 for a seed given here, else the request's index.",
    )

    def seed_and_index(self, seed: int, index: int) -> tuple[int, int]:
        """The seed and index of this point; `seed` and `index` are the request's."""
        own_index = index if self.seed is None else 0
        return seed if self.seed is None else self.seed, own_index if self.index is None else self.index
