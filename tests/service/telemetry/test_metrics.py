"""What the service counts of its requests, its models and itself."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from latent import Codes
from service.app import create_app
from service.http.problems import problem_types
from service.inference.batcher import Batcher, Drawn
from service.registry.registry import Registry
from service.settings import Settings
from tests.conftest import write_version
from tests.service.conftest import looked_twice

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
Grew = Callable[..., float]


def scraped(client: TestClient) -> Series:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def valued(client: TestClient, name: str, **labels: str) -> float:
    return scraped(client)[name, frozenset(labels.items())]


@pytest.fixture
def client(models_dir: Path) -> Iterator[TestClient]:
    settings = Settings(models_dir=models_dir, default_model="small", max_queue_rows=50)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def grew(client: TestClient) -> Grew:
    """By how much a series has grown since the test began."""
    before = scraped(client)

    def grown(name: str, **labels: str) -> float:
        key = name, frozenset(labels.items())
        return scraped(client).get(key, 0) - before.get(key, 0)

    return grown


def requests(grew: Grew, outcome: str, model: str, route: str = "/v1/images") -> float:
    return grew("faussaire_requests_total", route=route, outcome=outcome, model=model)


def test_a_request_is_counted_by_the_model_that_it_names(client: TestClient, grew: Grew) -> None:
    client.post("/v1/images", json={"model": "plain"})
    client.post("/v1/images", json={})
    client.get("/v1/image", params={"model": "plain", "seed": 1})
    client.get("/v1/models/plain")
    png = client.post("/v1/images", json={"model": "plain", "seed": 1}).content
    client.post("/v1/codes", content=png)  # which says what drew it, and is not of the default model
    assert requests(grew, "ok", "plain") == 2
    assert requests(grew, "ok", "small") == 1
    assert requests(grew, "ok", "plain", "/v1/image") == 1
    assert requests(grew, "ok", "plain", "/v1/models/{name}") == 1
    assert requests(grew, "ok", "plain", "/v1/codes") == 1


def test_what_is_refused_before_it_names_a_model_that_is_served_is_of_none(client: TestClient, grew: Grew) -> None:
    client.post("/v1/images", json={"model": "theirs"})
    client.post("/v1/images", json={"model": "small", "n": 0})
    client.post("/v1/images", content=b" " * 100_000)
    assert requests(grew, "invalid", "none") == 2
    assert requests(grew, "invalid", "none", "other") == 1
    assert not any("theirs" in str(series) for series in scraped(client))


def test_what_a_client_makes_up_adds_no_series(client: TestClient) -> None:
    def ask(made_up: str) -> None:
        client.get(f"/{made_up}", headers={"X-Request-Id": made_up, "traceparent": made_up})
        client.request(made_up, "/v1/images")
        client.get(f"/v1/models/{made_up}")
        client.get("/v1/image", params={"model": made_up, "class": made_up, made_up: "1"})
        client.post("/v1/images", json={made_up: 1})
        client.post("/v1/codes", params={"model": made_up}, content=made_up.encode())

    ask("one")
    before = set(scraped(client))
    for number in range(50):
        ask(f"another{number}")
    assert set(scraped(client)) == before


def test_problems_are_counted_by_what_was_wrong(client: TestClient, grew: Grew) -> None:
    client.post("/v1/images", json={"n": 51})
    client.post("/v1/images", json={"n": 0})
    client.post("/v1/images", json={"model": "theirs"})
    client.post("/v1/images", content=b" " * 100_000)
    client.post("/v1/images", content=b"{", headers={"Content-Type": "application/json"})
    client.get("/v1/images")
    items = client.post("/v1/images", json={"items": [{"class": "eleven"}, {}], "format": "zip"})
    assert items.status_code == 200  # one of its items failed, and the answer is no problem
    kinds = ("queue-full", "invalid-field", "unknown-model", "body-too-large", "invalid-json", "method-not-allowed")
    assert [grew("faussaire_problems_total", type=kind) for kind in kinds] == [1] * len(kinds)
    assert grew("faussaire_problems_total", type="unknown-class") == 0


def test_every_kind_of_problem_is_there_before_it_happened(client: TestClient) -> None:
    types = list(problem_types())
    assert len(set(types)) == len(types) > 25
    series = scraped(client)
    assert all(("faussaire_problems_total", frozenset({("type", kind)})) in series for kind in types)


def test_an_error_that_nobody_expected_is_an_error_in_the_metrics(
    client: TestClient, grew: Grew, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Batcher, __: Codes) -> Drawn:
        raise ValueError("broken")

    monkeypatch.setattr(Batcher, "submit", broken)
    answer = client.post("/v1/images", json={})
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:faussaire:problem:internal"
    assert answer.headers["x-request-id"]
    assert requests(grew, "error", "small") == 1
    assert grew("faussaire_problems_total", type="internal") == 1
    assert grew("faussaire_request_seconds_count", route="/v1/images") == 1


def test_an_answer_that_does_not_begin_in_time_is_a_problem_and_counted(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Batcher, __: Codes) -> Drawn:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Batcher, "submit", never)
    app = create_app(Settings(models_dir=models_dir, default_model="small", max_seconds=0.01))
    with TestClient(app) as client:
        before = valued(client, "faussaire_requests_in_flight")
        series = scraped(client)
        answer = client.post("/v1/images", json={})
        assert (answer.status_code, answer.json()["type"]) == (504, "urn:faussaire:problem:timed-out")
        assert answer.headers["x-request-id"]
        key = (
            "faussaire_requests_total",
            frozenset({"route": "/v1/images", "outcome": "error", "model": "small"}.items()),
        )
        assert scraped(client)[key] - series.get(key, 0) == 1
        assert valued(client, "faussaire_requests_in_flight") == before


def test_the_bound_of_the_queue_is_told_beside_what_waits(client: TestClient) -> None:
    assert valued(client, "faussaire_queue_limit_rows") == 50
    assert valued(client, "faussaire_queue_rows", model="plain") == 0


def test_what_was_never_asked_of_a_model_is_zero_and_not_absent(folder: Path) -> None:
    write_version(folder, 3, name="idle")
    with TestClient(create_app(Settings(models_dir=folder, default_model="small"))) as client:
        assert valued(client, "faussaire_images_total", model="idle") == 0
        assert valued(client, "faussaire_queue_seconds_count", model="idle") == 0


def test_the_versions_of_what_serves_are_one_series(client: TestClient) -> None:
    (series,) = [(labels, value) for (name, labels), value in scraped(client).items() if name == "faussaire_build_info"]
    assert {key for key, _ in series[0]} == {"version", "python", "onnxruntime"}
    assert series[1] == 1
    assert dict(series[0])["version"] == client.get("/openapi.json").json()["info"]["version"]


def test_what_the_process_costs_is_told(client: TestClient) -> None:
    assert valued(client, "faussaire_workers") == 1
    assert valued(client, "faussaire_memory_bytes") > 2**20
    assert valued(client, "faussaire_cpu_seconds_total") > 0


def follow(folder: Path, *steps: Callable[[], object]) -> list[float | None]:
    """How many files are refused after each step in a folder that is followed."""

    async def scenario() -> list[float | None]:
        seen = []
        async with Registry(Settings(models_dir=folder, default_model="small", watch_seconds=0)) as registry:
            for step in steps:
                step()
                await looked_twice(registry)
                seen.append(REGISTRY.get_sample_value("faussaire_files_refused"))
        return seen

    return asyncio.run(scenario())


def test_a_file_is_refused_until_it_is_put_right(folder: Path) -> None:
    small = folder / "small.onnx"
    steps = [
        lambda: small.write_bytes(b"no model"),
        lambda: None,  # nothing changed: it is as wrong as it was
        lambda: (folder / "another.onnx").write_bytes(b"nor this"),
        lambda: write_version(folder, 0),
        lambda: (folder / "another.onnx").unlink(),
    ]
    assert follow(folder, *steps) == [1, 1, 2, 1, 0]


def test_a_folder_that_cannot_be_looked_at_or_is_empty_counts_as_refused(folder: Path, tmp_path: Path) -> None:
    away = tmp_path.with_name(f"{tmp_path.name}-away")
    assert follow(folder, lambda: folder.rename(away), lambda: away.rename(folder)) == [2, 0]


def test_a_model_tells_when_its_file_was_written_and_forgets_it_with_the_file(folder: Path) -> None:
    def written(name: str) -> float | None:
        return REGISTRY.get_sample_value("faussaire_model_written_timestamp_seconds", {"model": name})

    os.utime(folder / "small.onnx", (1e9, 1e9))
    assert follow(folder, lambda: None) == [0]
    assert written("small") == 1e9
    seen: list[float | None] = []
    follow(folder, lambda: (folder / "plain.onnx").unlink(), lambda: seen.append(written("plain")))
    assert seen == [0]


def test_the_metrics_count_requests_images_and_batches(client: TestClient, grew: Grew) -> None:
    assert client.post("/v1/images", json={"n": 20}).status_code == 200
    assert client.post("/v1/images", json={"n": 0}).status_code == 422
    assert grew("faussaire_images_total", model="small") == 20
    assert grew("faussaire_requests_total", route="/v1/images", outcome="ok", model="small") == 1
    assert grew("faussaire_requests_total", route="/v1/images", outcome="invalid", model="none") == 1
    assert grew("faussaire_batch_rows_sum", model="small") == 20
    for name in ("queue", "inference", "encoding"):
        assert grew(f"faussaire_{name}_seconds_count", model="small") >= 1
    assert valued(client, "faussaire_queue_rows", model="small") == 0
