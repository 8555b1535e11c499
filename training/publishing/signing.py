"""Signatures of published models, and whether a file has one of a key."""

from pathlib import Path

from latent.card import digest_of, files_of, signature_path
from latent.signature import (
    InvalidKey,
    InvalidSignature,
    PrivateKey,
    PublicKey,
    check_signature,
    read_private_key,
    read_public_keys,
    sign,
)
from training.errors import Unfit
from training.files import lasting


class Signer:
    """Writes signatures by a private key. Raises Unfit if the file has none."""

    def __init__(self, key: Path) -> None:
        try:
            self._key: PrivateKey = read_private_key(key)
        except InvalidKey as error:
            raise Unfit(str(error)) from None

    def __call__(self, path: Path) -> None:
        """Write the signature of a file beside it."""
        with lasting(signature_path(path)) as written:
            written.write_text(sign(path.name, digest_of(path), self._key), encoding="ascii")


def read_keys(where: Path) -> list[PublicKey]:
    """Raises Unfit."""
    try:
        return read_public_keys(where)
    except InvalidKey as error:
        raise Unfit(str(error)) from None


def find_fault(path: Path, keys: list[PublicKey]) -> str | None:
    """Why a generator or its recogniser has no signature of the keys; None if both have one."""
    try:
        for one in files_of(path):
            check_signature(one, digest_of(one), keys)
    except InvalidSignature as error:
        return str(error)
    return None
