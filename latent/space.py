"""The latent space of a generator: how much noise, which class codes, which style codes."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

NonEmpty = Annotated[str, Field(min_length=1, max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]


class NoiseDistribution(StrEnum):
    UNIFORM = "uniform"
    """On [-1, 1)."""
    NORMAL = "normal"
    """Mean 0, variance 1."""


LIMITS = {NoiseDistribution.UNIFORM: 1.0, NoiseDistribution.NORMAL: 10.0}
"""How far from 0 a number of the noise may be that is given and not drawn; no normal noise that is drawn reaches 10."""


class Part(BaseModel):
    """Immutable and exact: an unknown field, a NaN or a number in quotes is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ClassCode(Part):
    name: NonEmpty
    purity: Share | None = Field(
        default=None,
        description="Share of this code's images to which the card's classifier gives this name.",
    )


class StyleCode(Part):
    name: NonEmpty
    low: float = -1.0
    high: float = 1.0
    effect: str | None = Field(default=None, description="What moving the code was measured to do to the images.")
    rho: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="Spearman's correlation of the code with what it is named for, along sweeps with all else held; "
        "its sign is the direction.",
    )
    r2: float | None = Field(
        default=None,
        le=1,
        description="Share of the code's variance that a regressor, trained on other images, reads from an image.",
    )

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError("low must be less than high")
        return self

    @property
    def usual(self) -> tuple[float, float]:
        """What is drawn where nobody asks: the part of the range that training drew from, [-1, 1]. Beyond it fewer
        images are recognised."""
        return max(self.low, min(-1.0, self.high)), min(self.high, max(1.0, self.low))


class LatentSpace(Part):
    noise_size: int = Field(ge=1, le=4096)
    noise_distribution: NoiseDistribution = NoiseDistribution.UNIFORM
    classes: tuple[ClassCode, ...] = ()
    styles: tuple[StyleCode, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for kind, codes in (("class", self.classes), ("style", self.styles)):
            names = [code.name for code in codes]
            if len(set(names)) < len(names):
                raise ValueError(f"two {kind} codes share a name")
        return self

    def __copy__(self) -> Self:
        """A copy of the fields alone: a copy that changes one has other tables than this space."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return self.model_construct(self.model_fields_set, **fields)

    @property
    def noise_limit(self) -> float:
        """The largest absolute value of noise that may be given."""
        return LIMITS[self.noise_distribution]

    @cached_property
    def class_places(self) -> dict[str, int]:
        """The place of each class by name."""
        return {code.name: place for place, code in enumerate(self.classes)}

    @cached_property
    def style_places(self) -> dict[str, int]:
        """The place of each style code by name."""
        return {code.name: place for place, code in enumerate(self.styles)}

    @cached_property
    def class_labels(self) -> tuple[str, ...]:
        """The names of the classes as JSON has them before a member's value: `"7":`."""
        return tuple(f"{json.dumps(code.name)}:" for code in self.classes)

    @cached_property
    def style_labels(self) -> tuple[str, ...]:
        """The names of the style codes likewise."""
        return tuple(f"{json.dumps(code.name)}:" for code in self.styles)

    @cached_property
    def usual_styles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the most that is drawn of each style code, (S,) each."""
        low, high = np.array([style.usual for style in self.styles], np.float64).reshape(-1, 2).T
        return low, high

    @cached_property
    def pure_classes(self) -> NDArray[np.float32]:
        """The weights of each class alone, (C, C)."""
        return np.eye(len(self.classes), dtype=np.float32)

    def one_hot(self, classes: NDArray[np.intp]) -> NDArray[np.float32]:
        """Class weights (N, C) from class codes (N,); (N, 0) in a space without class codes."""
        return self.pure_classes[classes] if self.classes else np.zeros((len(classes), 0), np.float32)


@dataclass(slots=True)
class Codes:
    """One point of the latent space a row; all float32 and of equal length."""

    noise: NDArray[np.float32]
    """(N, Z)"""
    classes: NDArray[np.float32]
    """(N, C): the weight of each class, one-hot or a blend"""
    styles: NDArray[np.float32]
    """(N, S)"""

    def __len__(self) -> int:
        return len(self.noise)

    def __getitem__(self, rows: slice) -> "Codes":
        return Codes(self.noise[rows], self.classes[rows], self.styles[rows])

    @classmethod
    def concatenate(cls, parts: "list[Codes]") -> "Codes":
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.noise for part in parts]),
            np.concatenate([part.classes for part in parts]),
            np.concatenate([part.styles for part in parts]),
        )

    def inputs(self) -> dict[str, NDArray[np.float32]]:
        """The generator's inputs by name; a kind of code that it lacks is no input."""
        named = {"noise": self.noise, "classes": self.classes, "styles": self.styles}
        return {name: array for name, array in named.items() if array.shape[1]}
