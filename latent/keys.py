"""The file of the API keys: who may use a service, until when, and how much."""

import hashlib
import re
import secrets
from pathlib import Path
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from latent.card import Digest
from latent.faults import explain
from latent.space import Part

MARK = "fsk_"
"""Before each secret, so that a search for lost secrets finds it."""

SECRET_BYTES = 32

MOST = 1000
"""Keys in a file. Each has metrics of its own."""

NAME = re.compile(r"^[A-Za-z0-9._-]{1,64}\Z")
"""It stands in the log and in metrics."""

KeyName = Annotated[str, StringConstraints(pattern=NAME)]


class InvalidKeys(ValueError):
    """The file does not hold keys. The message names the file and the field."""


class Key(Part):
    """What is kept of a key: enough to recognise its secret, and too little to know it."""

    digest: Digest
    """The SHA-256 of the secret. Nobody can guess 256 random bits, so that a slower hash would add nothing."""
    expires: AwareDatetime | None = None
    rate: float | None = Field(default=None, gt=0, le=1e9, description="Images a second.")
    burst: int | None = Field(default=None, ge=1, le=10**12, description="Images that may be drawn at once.")
    quota: int | None = Field(default=None, ge=1, le=10**12, description="Images a day, from midnight UTC.")

    @model_validator(mode="after")
    def _burst_has_a_rate(self) -> Self:
        if self.burst is not None and self.rate is None:
            raise ValueError("a burst needs a rate")
        return self

    @property
    def most_at_once(self) -> float:
        """The burst; without one, what the rate gives in a second, or one image."""
        return self.burst if self.burst is not None else max(1.0, self.rate or 0.0)


class KeyFile(Part):
    keys: dict[KeyName, Key] = Field(default_factory=dict, max_length=MOST)

    @model_validator(mode="after")
    def _no_two_share_a_secret(self) -> Self:
        if len({key.digest for key in self.keys.values()}) < len(self.keys):
            raise ValueError("two keys have the same digest")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InvalidKeys, and OSError if the file cannot be read."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InvalidKeys(f"{path}: {explain(error)}; `faussaire keys` writes such files") from None

    def text(self) -> str:
        return self.model_dump_json(indent=2, exclude_none=True) + "\n"


def new_secret() -> str:
    return MARK + secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
