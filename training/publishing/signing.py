"""Signatures of published models, and whether a file has one of a key."""

from pathlib import Path

from latent.card import recogniser_path, signature_path
from latent.signature import (
    InvalidKey,
    InvalidSignature,
    PrivateKey,
    PublicKey,
    read_private_key,
    read_public_keys,
    sign,
    signed_digest,
)
from training.errors import Unfit
from training.files import digest, lasting


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
            written.write_text(sign(path.name, digest(path), self._key), encoding="ascii")


def read_keys(where: Path) -> list[PublicKey]:
    """Raises Unfit."""
    try:
        return read_public_keys(where)
    except InvalidKey as error:
        raise Unfit(str(error)) from None


def find_fault(path: Path, keys: list[PublicKey]) -> str | None:
    """Why a generator or its recogniser has no signature of the keys; None if both have one."""
    recogniser = recogniser_path(path)
    for one in (path, recogniser) if recogniser.exists() else (path,):
        signature = signature_path(one)
        if not signature.exists():
            return f"{one.name} has no signature {signature.name}"
        try:
            signed = signed_digest(signature.read_bytes(), keys)
        except InvalidSignature as error:
            return f"{signature.name}: {error}"
        if signed != digest(one):
            return f"{signature.name} is the signature of another file than {one.name}"
    return None
