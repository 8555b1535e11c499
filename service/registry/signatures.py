"""Whether a trusted key has signed the files of the models folder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from latent.card import recogniser_path, signature_path
from latent.signature import LONGEST, InvalidKey, InvalidSignature, PublicKey, read_public_keys, signed_digest
from service.errors import InvalidModel, InvalidSetting, Unsigned
from service.registry.folder import ModelFile, check_file


class Signatures:
    """By the trusted `keys`. A file is checked before anything opens it, and once more as it was loaded."""

    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self._keys = keys

    def check(self, path: Path) -> None:
        """A generator and its recogniser as they are on the disk. Raises InvalidModel."""
        recogniser = recogniser_path(path)
        for one in (path, recogniser) if recogniser.exists() else (path,):
            try:
                check_file(one)
                with one.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise InvalidModel(f"{one}: {error.strerror}") from None
            self._compare(one, found)

    def check_loaded(self, path: Path, file: ModelFile) -> None:
        """The very bytes that were loaded: the file may have changed since. Raises Unsigned."""
        self._compare(path, file.digest)
        if file.recogniser is not None:
            self._compare(recogniser_path(path), file.recogniser.digest)

    def _compare(self, path: Path, found: str) -> None:
        """Raises Unsigned, and InvalidModel for a signature that is no file of the folder."""
        signature = signature_path(path)
        try:
            check_file(signature)
            with signature.open("rb") as file:
                signed = signed_digest(file.read(LONGEST), self._keys)
        except OSError:
            raise Unsigned(f"{path}: it has no signature {signature.name} (FAUSSAIRE_TRUSTED_KEYS)") from None
        except InvalidSignature as error:
            raise Unsigned(f"{signature}: {error} (FAUSSAIRE_TRUSTED_KEYS)") from None
        if signed != found:
            raise Unsigned(f"{path}: {signature.name} is the signature of another file (FAUSSAIRE_TRUSTED_KEYS)")


def open_trusted(where: Path) -> Signatures:
    """Raises InvalidSetting."""
    try:
        return Signatures(read_public_keys(where))
    except InvalidKey as error:
        raise InvalidSetting(f"FAUSSAIRE_TRUSTED_KEYS: {error}") from None
