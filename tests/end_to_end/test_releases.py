"""Two versions of one name on a real server: the canary's share, and promotion and rollback under load."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from starlette.testclient import TestClient

from latent import Release
from latent.release import version_label
from service.app import create_app
from service.settings import Settings
from tests.conftest import digest_of, write_named_version, write_release
from tests.end_to_end.conftest import faussaire, serving
from training.publishing.versions import Versions

SEEDS = 400
ASKED = 40
"""Seeds that the load repeats, a tenth of SEEDS."""
WEIGHT = 0.25


def body(seed: int) -> dict[str, int]:
    return {"seed": seed, "n": 3}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write two versions into one folder."""
    folder = tmp_path_factory.mktemp("models")
    return [write_named_version(folder, number) for number in range(2)]


@pytest.fixture(scope="module")
def expected(paths: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], bytes]:
    """Draw each seed by each version, alone in its own service."""
    drawn = {}
    for path in paths:
        folder = tmp_path_factory.mktemp("alone")
        (folder / path.name).write_bytes(path.read_bytes())
        with TestClient(create_app(Settings(models_dir=folder))) as alone:
            for seed in range(SEEDS):
                drawn[path.stem, seed] = alone.post("/v1/images", json=body(seed)).content
    assert len(set(drawn.values())) == 2 * SEEDS
    return drawn


@pytest.fixture
def release(paths: list[Path]) -> Release:
    return write_release(paths[0].parent, paths[0], paths[1], WEIGHT)


@pytest.fixture
def server(paths: list[Path], release: Release, tmp_path: Path) -> Iterator[httpx.Client]:
    assert release.weight == WEIGHT  # writes the release before the server starts
    with serving(paths[0].parent, tmp_path, FAUSSAIRE_WATCH_SECONDS="0.05") as client:
        yield client


def drawn(client: httpx.Client, seed: int, **headers: str) -> tuple[str, int, bytes]:
    answer = client.post("/v1/images", json=body(seed), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["faussaire-model"], seed, answer.content


def means(server: httpx.Client, stable: Path, canary: Path | None) -> bool:
    """Return whether the server follows this release."""
    versions = {one["role"]: one["digest"] for one in server.get("/v1/models/small").json()["versions"]}
    return versions["stable"] == digest_of(stable) and versions.get("canary") == (canary and digest_of(canary))


def followed(server: httpx.Client, stable: Path, canary: Path | None = None) -> None:
    until = time.monotonic() + 60
    while not means(server, stable, canary):
        assert time.monotonic() < until


def test_under_load_the_canary_draws_its_own_seeds_unless_a_header_decides(
    server: httpx.Client, release: Release, paths: list[Path], expected: dict[tuple[str, int], bytes]
) -> None:
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda seed: drawn(server, seed), range(SEEDS)))
        always = list(crowd.map(lambda seed: drawn(server, seed, **{"Faussaire-Canary": "always"}), range(ASKED)))
        never = list(crowd.map(lambda seed: drawn(server, seed, **{"Faussaire-Canary": "never"}), range(ASKED)))
    assert [name for name, _, _ in answers] == [version_label("small", release.meant(seed)) for seed in range(SEEDS)]
    share = sum(name == paths[1].stem for name, _, _ in answers) / SEEDS
    assert share == pytest.approx(WEIGHT, abs=0.06)  # less than three standard deviations of a share of 400
    assert {name for name, _, _ in always} == {paths[1].stem}
    assert {name for name, _, _ in never} == {paths[0].stem}
    for name, seed, content in (*answers, *always, *never):
        assert content == expected[name, seed]


def test_promote_and_rollback_lose_no_request_and_answers_fit_their_digest(
    server: httpx.Client, paths: list[Path], expected: dict[tuple[str, int], bytes], tmp_path: Path
) -> None:
    models, (first, second) = paths[0].parent, paths
    stop = Event()

    def client(number: int) -> list[tuple[str, int, bytes]]:
        answers = []
        with httpx.Client(base_url=server.base_url, timeout=60) as own:
            seed = number
            while not stop.is_set():
                answers.append(drawn(own, seed % ASKED))
                seed += 1
        return answers

    def all_by(path: Path) -> None:
        assert {drawn(server, seed)[0] for seed in range(ASKED)} == {path.stem}

    with ThreadPoolExecutor(4) as crowd:
        clients = [crowd.submit(client, 10 * number) for number in range(4)]
        try:
            Versions.find(models, "small").promote(None)
            followed(server, second)
            all_by(second)
            said = faussaire(tmp_path, "rollback", "small", "--models", str(models))
            assert said == f"stable: {first.stem}\n"
            followed(server, first)
            all_by(first)
            write_release(models, first, second, WEIGHT)
            followed(server, first, second)
            Versions.find(models, "small").roll_back()  # removes the canary
            followed(server, first)
            all_by(first)
        finally:
            stop.set()
        answers = [answer for one in clients for answer in one.result()]
    assert {name for name, _, _ in answers} == {first.stem, second.stem}
    for name, seed, content in answers:
        assert content == expected[name, seed]
    counted = 'faussaire_version_requests_total{model="small",outcome="ok",role="'
    lines = [line for line in server.get("/metrics").text.splitlines() if line.startswith(counted)]
    # The load, and 40 seeds after each of three changes.
    assert sum(float(line.split()[-1]) for line in lines) == len(answers) + 3 * ASKED
    assert len(lines) == 2
