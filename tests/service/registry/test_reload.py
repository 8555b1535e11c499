"""Files that change under a server that answers."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.http.application import Application
from service.registry.registry import Registry
from service.settings import Settings
from tests.conftest import digest_of, small_card, write_recogniser, write_version
from tests.service.conftest import digests, looked_twice


@pytest.fixture
def app(folder: Path) -> Application:
    return create_app(Settings(models_dir=folder, default_model="small", watch_seconds=0, cache_bytes=0))


def with_clients(app: Application, scenario: Callable[[httpx.AsyncClient, Registry], Awaitable[None]]) -> None:
    async def run() -> None:
        transport = httpx.ASGITransport(app)
        async with (
            app.open(),
            httpx.AsyncClient(transport=transport, base_url="http://t") as http,
        ):
            async with asyncio.timeout(60):  # what is lost would be waited for
                await scenario(http, app.context.registry)

    asyncio.run(run())


@pytest.fixture
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of one name in folders of their own."""
    folders = [tmp_path_factory.mktemp(f"version-{version}") for version in range(2)]
    return [write_version(folder, version) for version, folder in enumerate(folders)]


BODIES: list[dict[str, Any]] = [{"seed": seed, "n": n, "class": str(seed)} for seed in range(4) for n in (1, 5, 300)]
CLIENTS = 12
SWAPS = 25


async def drawn_by_each(versions: list[Path], app_of: Callable[[Path], Application]) -> dict[tuple[str, str], bytes]:
    """What each version's file draws for each body, alone in a server of its own."""
    expected = {}
    for path in versions:
        app = app_of(path.parent)
        async with (
            app.open(),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http,
        ):
            for body in BODIES:
                answer = await http.post("/v1/images", json=body)
                expected[answer.headers["faussaire-model"], json.dumps(body)] = answer.content
    assert len(set(expected.values())) == 2 * len(BODIES)
    return expected


def test_while_a_file_is_swapped_every_answer_is_what_the_digest_in_its_header_draws(
    folder: Path, app: Application, versions: list[Path]
) -> None:
    (folder / "small.recogniser.onnx").unlink()

    async def scenario(http: httpx.AsyncClient, registry: Registry) -> None:
        expected = await drawn_by_each(versions, lambda path: create_app(Settings(models_dir=path)))
        swapped, enough = asyncio.Event(), asyncio.Event()
        seen: Counter[str] = Counter()

        async def client(number: int) -> None:
            turn = number
            while not swapped.is_set():
                body = BODIES[turn % len(BODIES)]
                answer = await http.post("/v1/images", json=body)
                assert answer.status_code == 200
                version = answer.headers["faussaire-model"]
                assert answer.content == expected[version, json.dumps(body)]
                seen[version] += 1
                turn += 1
                if turn % 3 == 0:
                    enough.set()

        async def swap() -> None:
            for turn in range(SWAPS):
                beside = folder / "beside"
                shutil.copy(versions[turn % 2], beside)
                beside.rename(folder / "small.onnx")
                now = registry.now
                while registry.now is now:
                    await registry.refresh()
                enough.clear()
                await enough.wait()
            swapped.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(swap())
            for number in range(CLIENTS):
                group.create_task(client(number))
        assert len(seen) == 2
        assert min(seen.values()) >= SWAPS

    with_clients(app, scenario)


def test_a_data_set_is_of_one_version_from_its_beginning_to_its_end(folder: Path, app: Application) -> None:
    (folder / "small.recogniser.onnx").unlink()
    body = {"seed": 1, "n": 3_000, "format": "idx"}

    async def scenario(http: httpx.AsyncClient, registry: Registry) -> None:
        alone = await http.post("/v1/datasets", json=body)
        under_way = asyncio.create_task(http.post("/v1/datasets", json=body))
        await asyncio.sleep(0.01)
        write_version(folder, 1)
        await looked_twice(registry)
        answer, after = await under_way, await http.post("/v1/datasets", json=body)
        assert answer.headers["faussaire-model"] == alone.headers["faussaire-model"]
        assert answer.content == alone.content
        assert after.headers["faussaire-model"] != alone.headers["faussaire-model"]
        assert after.content != alone.content

    with_clients(app, scenario)


def test_the_codes_that_an_image_tells_are_read_by_the_version_that_is_served(folder: Path, app: Application) -> None:
    async def scenario(http: httpx.AsyncClient, registry: Registry) -> None:
        image = (await http.post("/v1/images", json={"seed": 1})).content
        assert (await http.post("/v1/codes", content=image)).json()["source"] == "metadata"
        write_recogniser(write_version(folder, 1), small_card())
        await looked_twice(registry)
        answer = (await http.post("/v1/codes", content=image)).json()
        assert answer["source"] == "recogniser"
        assert answer["digest"] == digest_of(folder / "small.onnx")

    with_clients(app, scenario)


def test_the_metrics_tell_what_is_served_and_what_became_of_the_files(folder: Path, app: Application) -> None:
    async def scenario(http: httpx.AsyncClient, registry: Registry) -> None:
        async def scraped(name: str) -> dict[str, float]:
            text = (await http.get("/metrics")).text
            samples = [s for f in text_string_to_metric_families(text) for s in f.samples if s.name == name]
            return {"/".join(value for _, value in sorted(s.labels.items())): s.value for s in samples}

        first = f"{digests(registry)['small'][:12]}/small"
        before = await scraped("faussaire_reloads_total")
        write_recogniser(write_version(folder, 1), small_card())
        (folder / "junk.onnx").write_bytes(b"junk")
        (folder / "plain.onnx").unlink()
        await looked_twice(registry)
        after = await scraped("faussaire_reloads_total")
        assert {key: value - before.get(key, 0) for key, value in after.items()} == {
            "taken": 1,
            "removed": 1,
            "refused": 1,
        }
        served = await scraped("faussaire_model_info")
        assert served[first] == 0
        assert served[f"{digests(registry)['small'][:12]}/small"] == 1

    with_clients(app, scenario)
