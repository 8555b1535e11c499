"""The recipe of a data set: from which any machine draws the same files, and to which a folder is compared.

It is `dataset.json` in the folder of the shards.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from latent.card import MODEL_NAME, Digest, digest_of
from latent.containers import Kind, shard_name
from latent.dataset import Balance, shard
from latent.faults import explain
from latent.noise import SEED_LIMIT
from training.errors import FolderDiffers, InvalidRecipe, RunMismatch
from training.files import write_text
from training.progress import Display

NAME = "dataset.json"


@dataclass(frozen=True)
class Job:
    """Which data set, in which shards."""

    kind: Kind
    items: int
    shards: int
    seed: int
    balance: Balance
    styles: dict[str, float]
    """Style codes by name that all images share."""

    def shard(self, number: int) -> range:
        return shard(self.items, self.shards, number)


class Recipe(BaseModel):
    """The model, the data set and the SHA-256 of each shard."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    model: Annotated[str, Field(pattern=f"^{MODEL_NAME}$")] | None = None
    """Absent from those of an earlier version."""
    sha256: Digest
    """Of the model's file."""
    format: Kind
    items: int = Field(ge=1, le=2**53)
    shards: int = Field(ge=1, le=1_000_000)
    seed: int = Field(ge=0, lt=SEED_LIMIT)
    balance: Balance
    styles: dict[str, float]
    checksums: list[Digest] | None = None
    """The SHA-256 of each shard, once all are drawn."""

    @model_validator(mode="after")
    def _has_all_checksums(self) -> Self:
        if self.checksums is not None and len(self.checksums) != self.shards:
            raise ValueError(f"there are {len(self.checksums)} checksums of {self.shards} shards")
        return self

    @classmethod
    def of(cls, job: Job, model: str, sha256: str) -> Self:
        return cls(
            model=model,
            sha256=sha256,
            format=job.kind,
            items=job.items,
            shards=job.shards,
            seed=job.seed,
            balance=job.balance,
            styles=job.styles,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InvalidRecipe, and OSError where there is no file."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InvalidRecipe(f"{path} is no recipe of a data set: {explain(error, 'its field')}") from None

    @property
    def job(self) -> Job:
        return Job(self.format, self.items, self.shards, self.seed, self.balance, self.styles)

    @property
    def version(self) -> str:
        """What a service is asked for: `NAME@DIGEST`. Raises InvalidRecipe."""
        if self.model is None:
            raise InvalidRecipe("the recipe does not name its model; draw with --model FILE, whose digest it has")
        return f"{self.model}@{self.sha256}"

    def settings(self) -> dict[str, Any]:
        """What decides the bytes of the shards."""
        return self.model_dump(exclude={"model", "checksums"})

    def text(self) -> str:
        return json.dumps(self.model_dump(exclude_none=True), indent=2) + "\n"

    def require_model(self, path: Path, sha256: str) -> None:
        """Raises InvalidRecipe if a model's file is not the recipe's."""
        if sha256 != self.sha256:
            raise InvalidRecipe(
                f"the recipe is of {self.model or 'a model'} with the SHA-256 {self.sha256}, and {path} has {sha256}; "
                "give --model the file with the recipe's"
            )

    def require_shard(self, number: int, checksum: str) -> None:
        """Raises FolderDiffers if a shard is not the recipe's."""
        if self.checksums is not None and checksum != self.checksums[number]:
            raise FolderDiffers(
                f"shard {number} has the SHA-256 {checksum}, and the recipe has {self.checksums[number]}: it was "
                "altered, or another version of Faussaire lays the file out in another way, or of zlib-ng for a zip"
            )


def claim(folder: Path, recipe: Recipe) -> None:
    """Write down which data set the folder's shards are of, or check that it is the same. Raises RunMismatch."""
    path = folder / NAME
    if not path.exists():
        write_text(path, recipe.text())
        return
    try:
        before = Recipe.read(path)
    except InvalidRecipe:
        raise RunMismatch(
            f"{path} is damaged, so that nothing says what the shards are of; bring it back, or choose another "
            "folder with --output"
        ) from None
    theirs, ours = before.settings(), recipe.settings()
    for name in ours:
        if theirs[name] != ours[name]:
            raise RunMismatch(
                f"{folder} holds shards of another data set: its {name} is {theirs[name]}, not {ours[name]}; choose "
                "another folder with --output"
            )


def complete(folder: Path, recipe: Recipe) -> Recipe | None:
    """Write the checksums of all shards into the folder's recipe and return it; None if a shard is not there yet."""
    checksums: list[str] = []
    for number in range(recipe.shards):
        checksum = read_checksum(shard_path(folder, recipe.format, number, recipe.shards))
        if checksum is None:
            return None
        checksums.append(checksum)
    completed = recipe.model_copy(update={"checksums": checksums})
    write_text(folder / NAME, completed.text())
    return completed


def compare(folder: Path, recipe: Recipe, numbers: Sequence[int], display: Display) -> None:
    """Compare a folder's shards with a recipe. Raises InvalidRecipe and FolderDiffers."""
    if recipe.checksums is None:
        raise InvalidRecipe("the recipe has no checksums to compare with: its shards were not all drawn yet")
    wrong = []
    for number in numbers:
        path = shard_path(folder, recipe.format, number, recipe.shards)
        if not path.exists():
            wrong.append(f"{path.name} is missing")
        elif digest_of(path) != recipe.checksums[number]:
            wrong.append(f"{path.name} is altered")
        else:
            display.say(f"{path.name} is as the recipe has it")
    if wrong:
        raise FolderDiffers(
            f"{folder} is not as the recipe has it: {', '.join(wrong)}; take away what is altered, with its .sha256 "
            "file, and draw it again without --check"
        )


def read_checksum(path: Path) -> str | None:
    """The checksum of a shard that was written to its end, or None."""
    beside = checksum_path(path)
    return beside.read_text(encoding="utf-8").split()[0] if path.exists() and beside.exists() else None


def shard_path(folder: Path, kind: Kind, number: int, shards: int) -> Path:
    return folder / shard_name(kind, number, shards)


def checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
