"""Whether a trusted key has signed the files of the models folder."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from latent.card import digest_of, files_of, recogniser_path, signature_path
from latent.signature import InvalidKey, InvalidSignature, PublicKey, check_signature, read_public_keys
from service.errors import InvalidModel, InvalidSetting, Unsigned
from service.registry.folder import ModelFile, check_file


class Signatures:
    """By the trusted `keys`. A file is checked before anything opens it, and once more as it was loaded."""

    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self._keys = keys

    def check(self, path: Path) -> None:
        """A generator and its recogniser as they are on the disk. Raises InvalidModel."""
        for one in files_of(path):
            try:
                check_file(one)
                found = digest_of(one)
            except OSError as error:
                raise InvalidModel(f"{one}: {error.strerror}") from None
            self._check(one, found)

    def check_loaded(self, path: Path, file: ModelFile) -> None:
        """The very bytes that were loaded: the file may have changed since. Raises InvalidModel."""
        self._check(path, file.digest)
        if file.recogniser is not None:
            self._check(recogniser_path(path), file.recogniser.digest)

    def _check(self, path: Path, found: str) -> None:
        """Raises Unsigned, and InvalidModel for a signature that is no file of the folder."""
        with suppress(OSError):  # of one that is not there
            check_file(signature_path(path))
        try:
            check_signature(path, found, self._keys)
        except InvalidSignature as error:
            raise Unsigned(f"{path}: {error} (FAUSSAIRE_TRUSTED_KEYS)") from None


def open_trusted(where: Path) -> Signatures:
    """Raises InvalidSetting."""
    try:
        return Signatures(read_public_keys(where))
    except InvalidKey as error:
        raise InvalidSetting(f"FAUSSAIRE_TRUSTED_KEYS: {error}") from None
