"""A load of clients that keeps a ledger: what became of each request."""

import http.client
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

import httpx
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings

CLIENTS = 8
SEEDS = 40
PAUSE = 0.02
"""Seconds after a broken connection."""

Images = Mapping[tuple[str, int], bytes]
"""By the version that draws and the seed."""


def body_of(seed: int) -> dict[str, int]:
    return {"seed": seed, "n": 4}


def drawn_by(models: Path) -> dict[tuple[str, int], bytes]:
    """What the models of a folder draw, each seed alone and without a server."""
    images = {}
    with TestClient(create_app(Settings(models_dir=models, default_model="small"))) as client:
        for seed in range(SEEDS):
            answer = client.post("/v1/images", json=body_of(seed))
            images[answer.headers["faussaire-model"], seed] = answer.content
    return images


class Ledger:
    """Clients that ask over kept connections, one request after the other, while the context lasts.

    `right`: the very images of the seed by the version that the answer names. `refused`: 429 or 503. `broken`: the
    connection ended without a whole answer. Anything else is in `wrong`.
    """

    def __init__(self, url: httpx.URL, expected: Images) -> None:
        self._address = (url.host, url.port)
        self._expected = expected
        self._stop = Event()
        self._threads = [Thread(target=self._ask_on) for _ in range(CLIENTS)]
        self.counts: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        """Until so many more answers were right, or one was wrong."""
        enough = self.counts["right"] + more
        while self.counts["right"] < enough and not self.wrong and any(thread.is_alive() for thread in self._threads):
            self._stop.wait(PAUSE)

    def _ask_on(self) -> None:
        seed = 0
        with closing(http.client.HTTPConnection(*self._address, timeout=60)) as connection:
            while not self._stop.is_set():
                seed = (seed + 1) % SEEDS
                try:
                    outcome = self._ask(connection, seed)
                except (OSError, http.client.HTTPException):
                    outcome = "broken"
                    connection.close()  # the next request opens it again
                    self._stop.wait(PAUSE)
                self.counts[outcome] += 1

    def _ask(self, connection: http.client.HTTPConnection, seed: int) -> str:
        connection.request("POST", "/v1/images", json.dumps(body_of(seed)), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content, version = answer.read(), answer.headers.get("faussaire-model", "")
        if answer.status == 200 and self._expected.get((version, seed)) == content:
            self.versions[version] += 1
            return "right"
        if answer.status in {429, 503}:
            return "refused"
        self.wrong.append(f"{answer.status} {version} seed {seed}")
        return "wrong"
