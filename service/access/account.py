"""What a key may still draw: a rate by a bucket of tokens, and a quota for each day.

The numbers are in a small file that all workers of a server share, so that a key has the same rate with any number of
workers, and that outlives the server, so that a start does not begin the day again.
"""

import fcntl
import math
import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from latent.keys import Key
from service.errors import QuotaSpent, RateExceeded

DAY = 86_400
"""Seconds."""

_state = Struct("<ddqq")


@dataclass(slots=True)
class State:
    """A file of zeros is the state of a key that has not been used."""

    tokens: float
    """Images that may be drawn at once. Below 0 after a request for more than the burst."""
    at: float
    """When that was, in Unix time."""
    day: int
    """Days since 1970."""
    spent: int
    """Images of that day."""


class Account:
    """One key's. A key without rate and quota may draw without end.

    A request for more images than the burst is drawn when the bucket is full, and those after it wait until it is paid.
    So the images of any time are at most rate x seconds + burst + one request.
    """

    def __init__(self, name: str, key: Key, folder: Path | None, now: Callable[[], float] = time.time) -> None:
        self.name = name
        self.key = key
        self.is_limited = key.rate is not None or key.quota is not None
        self.policy = _policy(key)
        """The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10)."""
        self._now = now
        self._file: int | None = None
        if self.is_limited:
            self._file, self._numbers = _open(folder, key.digest)

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    @property
    def has_expired(self) -> bool:
        return self.key.expires is not None and self.key.expires.timestamp() <= self._now()

    def spend(self, images: int) -> None:
        """Raises RateExceeded and QuotaSpent; then nothing is spent."""
        if not self.is_limited:
            return
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        state = self._read()
        try:
            self._take(state, images)
        finally:
            _state.pack_into(self._numbers, 0, state.tokens, state.at, state.day, state.spent)
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take(self, state: State, images: int) -> None:
        """Raises RateExceeded and QuotaSpent."""
        if self.key.rate is not None:
            lacking = min(images, self.key.most_at_once) - state.tokens
            if lacking > 0:
                raise RateExceeded(self.name, math.ceil(lacking / self.key.rate))
        if self.key.quota is not None and state.spent + images > self.key.quota:
            raise QuotaSpent(self.name, self.key.quota - state.spent, self._seconds_of_day())
        state.tokens -= images
        state.spent += images

    def left(self) -> list[tuple[str, float, int]]:
        """Of each limit its name, the images left, and the seconds until all of it is there again."""
        if not self.is_limited:
            return []
        state, left = self._read(), []  # without a lock: another worker may have spent more by the time it is read
        if self.key.rate is not None:
            missing = self.key.most_at_once - state.tokens
            left.append(("rate", max(0.0, state.tokens), math.ceil(missing / self.key.rate)))
        if self.key.quota is not None:
            left.append(("day", max(0, self.key.quota - state.spent), self._seconds_of_day()))
        return left

    def _read(self) -> State:
        """The state as it is now."""
        state, now = State(*_state.unpack_from(self._numbers)), self._now()
        if self.key.rate is not None:
            passed = max(0.0, now - state.at)  # a clock that was set back gives nothing, and takes nothing
            state.tokens = min(self.key.most_at_once, state.tokens + passed * self.key.rate)
        state.at = now
        if state.day != now // DAY:
            state.day, state.spent = int(now // DAY), 0
        return state

    def _seconds_of_day(self) -> int:
        """Until midnight UTC."""
        return math.ceil(DAY - self._now() % DAY)


def _policy(key: Key) -> bytes:
    policies = []
    if key.rate is not None:
        window = max(1, round(key.most_at_once / key.rate))
        policies.append(f'"rate";q={int(key.most_at_once)};qu="images";w={window}')
    if key.quota is not None:
        policies.append(f'"day";q={key.quota};qu="images";w={DAY}')
    return ", ".join(policies).encode("ascii")


def shared_folder() -> Path | None:
    """Where the workers of a server share what is spent: beside their metrics. None if no server runs."""
    metrics = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return None if metrics is None else Path(metrics).with_name("faussaire-accounts")


def _open(folder: Path | None, digest: str) -> tuple[int | None, mmap.mmap]:
    """A file and its memory; memory alone if there is no folder."""
    if folder is None:
        return None, mmap.mmap(-1, _state.size)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(folder / digest, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(file, _state.size)
    return file, mmap.mmap(file, _state.size)
