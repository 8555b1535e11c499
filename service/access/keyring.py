"""Which keys there are: those of a file that may change while the service runs."""

import os
from pathlib import Path

from latent.keys import InvalidKeys, KeyFile, digest_of
from service.access.account import Account
from service.errors import InvalidSetting
from service.marks import Mark, mark_of
from service.telemetry import metrics
from service.telemetry.log import log


class Keyring:
    """The accounts of the keys in a file. What they have spent is kept in `folder`, or in memory if there is none.

    Raises InvalidSetting if the file cannot be read.
    """

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self._path = path
        self._folder = folder
        self._mark: Mark | None = None
        self._complaint = ""
        self._accounts: dict[str, Account] = {}
        self._take(read_keys(path))

    def find(self, secret: str) -> Account | None:
        """The account of a key.

        The look-up is by the digest. Whoever measures how long it takes learns of a digest, and from that of no secret.
        """
        return self._accounts.get(digest_of(secret))

    def refresh(self) -> None:
        """Take the file as it is now. If it cannot be read, the keys stay as they are, and the log says so."""
        complaint = self._read()
        if complaint and complaint != self._complaint:
            log.error("%s; the service keeps the keys that it has", complaint)
        self._complaint = complaint

    def _read(self) -> str:
        """What is wrong with the file; nothing if it is as before, or was taken."""
        try:
            mark = mark_of(self._path)
            if mark is not None and mark == self._mark:
                return ""
            file = KeyFile.read(self._path)
        except (InvalidKeys, OSError) as error:
            return _explain(error)
        if file != self._file:
            self._take(file)
            log.info("%s has changed; keys: %s", self._path, ", ".join(file.keys) or "none")
        self._mark = mark
        return ""

    def _take(self, file: KeyFile) -> None:
        self._file = file
        known = {account.name: account for account in self._accounts.values()}
        accounts = {}
        for name, key in file.keys.items():
            same = name in known and known[name].key == key
            accounts[key.digest] = known[name] if same else Account(name, key, self._folder)
            metrics.begin_key(name)
        self._accounts = accounts


def read_keys(path: Path) -> KeyFile:
    """Raises InvalidSetting."""
    try:
        return KeyFile.read(path)
    except (InvalidKeys, OSError) as error:
        raise InvalidSetting(f"FAUSSAIRE_KEYS_FILE: {_explain(error)}") from None


def _explain(error: InvalidKeys | OSError) -> str:
    return f"{error.filename}: {os.strerror(error.errno or 0)}" if isinstance(error, OSError) else str(error)
