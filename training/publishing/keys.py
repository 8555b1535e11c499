"""Changes to the file of a service's API keys. A service that runs reads it at any moment."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from latent.keys import NAME, InvalidKeys, Key, KeyFile, digest_of, new_secret
from training.errors import TrainingError
from training.files import Locked, lasting, locking

MODE = 0o600
"""Of a new file. The digests give no key away, but who reads them knows who has keys."""


def read_keys(path: Path) -> KeyFile:
    """Raises TrainingError, and OSError if there is no file."""
    try:
        return KeyFile.read(path)
    except InvalidKeys as error:
        raise TrainingError(str(error)) from None


def add_key(path: Path, name: str, **limits: Any) -> str:
    """Write a new key, with the fields of `Key` as its limits; return its secret. Raises TrainingError."""
    if not NAME.match(name):
        raise TrainingError(f"'{name}': a name has 1 to 64 letters, digits, dots, hyphens or underscores")
    expires: datetime | None = limits.get("expires")
    if expires is not None and expires <= datetime.now(UTC):
        raise TrainingError(f"--expires is in the past ({expires:%Y-%m-%d %H:%M} UTC); choose a later date")
    secret = new_secret()

    def add(file: KeyFile) -> dict[str, Key]:
        if name in file.keys:
            raise TrainingError(f"'{name}' has a key; revoke it first, or choose another name")
        return file.keys | {name: Key(digest=digest_of(secret), **limits)}

    _change(path, add)
    return secret


def revoke_key(path: Path, name: str) -> None:
    """Raises TrainingError."""

    def revoke(file: KeyFile) -> dict[str, Key]:
        if name not in file.keys:
            raise TrainingError(f"'{name}' has no key; these have: {', '.join(file.keys) or 'nobody'}")
        return {other: key for other, key in file.keys.items() if other != name}

    _change(path, revoke)


def _change(path: Path, change: Callable[[KeyFile], dict[str, Key]]) -> None:
    """Raises TrainingError, also if another process changes the file."""
    try:
        with locking(path.with_name(f".{path.name}.lock")):
            exists = path.exists()
            keys = change(read_keys(path) if exists else KeyFile())
            text = KeyFile.model_validate({"keys": keys}).text()
            with lasting(path) as beside:
                beside.touch(mode=path.stat().st_mode & 0o777 if exists else MODE)
                beside.write_text(text, encoding="utf-8")
    except Locked as holder:
        raise TrainingError(f"{path} is being changed by {holder}; run the same command again") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = first["loc"][-1] if first["loc"] else "key"
        raise TrainingError(f"{field}: {first['msg']}") from None
