"""A real server of two workers under load of every kind, with a real Prometheus and a real Alertmanager."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from latent.keys import Key, KeyFile, digest_of
from monitoring.local import alertmanager, example, prometheus, set_target
from tests.conftest import Receiver, program, receiving, small_card, write_recogniser, write_small, write_version
from tests.end_to_end.conftest import free_port, serving

PATIENCE = 120.0
"""Seconds that a busy machine may take."""

KEY = "fsk_of-this-test"
QUEUE = 300


@dataclass(frozen=True)
class Watched:
    service: httpx.Client
    models: Path
    prometheus: httpx.Client
    alertmanager: httpx.Client
    webhook: Receiver

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return Prometheus' answer: a list of series, each with its labels and value."""
        answer = self.prometheus.get("/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def notifications(self, alert: str, status: str) -> list[dict[str, Any]]:
        """Return the notifications of an alert that the webhook received."""
        received = [one for body in self.webhook.bodies for one in json.loads(body)["alerts"]]
        return [one for one in received if one["labels"]["alertname"] == alert and one["status"] == status]


def wait_until(condition: Callable[[], bool], pause: float = 0.25) -> bool:
    """Wait for a condition; return whether it comes true within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        Event().wait(pause)
    return True


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    for name in ("prometheus", "promtool", "prometheus-alertmanager"):
        program(name)
    models, home, folder = (tmp_path_factory.mktemp(name) for name in ("models", "home", "monitoring"))
    write_small(models, "plain", coded=False)
    write_recogniser(write_version(models, 0), small_card())
    keys = folder / "keys.json"
    keys.write_text(KeyFile(keys={"alice": Key(digest=digest_of(KEY))}).text(), encoding="utf-8")
    settings = {
        "FAUSSAIRE_KEYS_FILE": str(keys),
        "FAUSSAIRE_WORKERS": "2",
        "FAUSSAIRE_DEFAULT_MODEL": "small",
        "FAUSSAIRE_MAX_QUEUE_ROWS": str(QUEUE),
        "FAUSSAIRE_WATCH_SECONDS": "0.5",
    }
    with ExitStack() as stack:
        service = stack.enter_context(serving(models, home, **settings))
        service.headers["X-Api-Key"] = KEY
        webhook = stack.enter_context(receiving())
        alerts = free_port()
        alerting = stack.enter_context(alertmanager(folder, alerts, hasty_alerts(webhook.url)))
        target = f"{service.base_url.host}:{service.base_url.port}"
        graphs = stack.enter_context(prometheus(folder, free_port(), hasty_scrapes(target, alerts)))
        asked, alerted = (stack.enter_context(httpx.Client(base_url=url, timeout=60)) for url in (graphs, alerting))
        stack.enter_context(keep_asking(str(service.base_url), models))
        yield Watched(service, models, asked, alerted, webhook)


def hasty_alerts(url: str) -> dict[str, Any]:
    """Return the example for operators, without pauses and with the test's webhook as receiver."""
    configuration = example("alertmanager")
    configuration["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in configuration["receivers"]:
        for hook in receiver.get("webhook_configs", []):
            hook["url"] = hook["url"].replace("http://127.0.0.1:9099", url)
    return configuration


def hasty_scrapes(target: str, alerts: int) -> dict[str, Any]:
    configuration = set_target(example("prometheus"), target)
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{alerts}"]}]}]
    return configuration


@contextmanager
def keep_asking(url: str, models: Path) -> Iterator[None]:
    """Ask every endpoint again and again, and replace a model, until the context ends."""
    stop = Event()
    thread = Thread(target=ask_for_everything, args=(url, models, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def ask_for_everything(url: str, models: Path, stop: Event) -> None:
    with httpx.Client(base_url=url, timeout=60, headers={"X-Api-Key": KEY}) as client:
        before = None
        for turn in count():
            if stop.wait(0.1):  # without a pause a busy machine has no time for Prometheus
                return
            png = client.post("/v1/images", json={"seed": turn}).content
            drawn = client.post("/v1/images", json={"model": "plain", "n": 40, "format": "zip"})
            client.post("/v1/images", json={"n": QUEUE + 1})  # 429
            client.post("/v1/images", json={"n": 0})
            client.get("/v1/image", params={"seed": 1})
            client.post("/v1/codes", content=png)
            client.post("/v1/traversals", json={"columns": {"class": "all"}})
            client.post("/v1/interpolations", json={"from": {"seed": 1}, "to": {"seed": 2}, "frames": 4})
            client.post("/v1/datasets", json={"n": 100, "model": "plain"})
            client.get("/v1/models/nobody")
            if drawn.headers["faussaire-model"] != before:  # the service has taken the last file
                before = drawn.headers["faussaire-model"]
                write_version(models, turn, "plain")
