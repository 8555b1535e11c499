"""A model file that is replaced while a real server runs."""

import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from service.inference.generator import Generator
from tests.conftest import write_version
from tests.end_to_end.conftest import serving, workers

BODY = {"seed": 1, "n": 40}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [write_version(tmp_path_factory.mktemp(f"version-{k}"), k) for k in range(2)]


def put(version: Path, folder: Path) -> str:
    """Rename a version into its place; return the value that `Faussaire-Model` will have."""
    beside = folder / "beside"
    shutil.copy(version, beside)
    beside.rename(folder / "small.onnx")
    return Generator(version, threads=1).version.label


def drawn(client: httpx.Client) -> tuple[str, bytes]:
    answer = client.post("/v1/images", json=BODY)
    assert answer.status_code == 200, answer.text
    return answer.headers["faussaire-model"], answer.content


def test_swapping_a_file_loses_no_request_and_each_answer_fits_its_digest(tmp_path: Path, versions: list[Path]) -> None:
    models, home = tmp_path / "models", tmp_path / "home"
    models.mkdir()
    home.mkdir()
    names = [put(versions[k], models) for k in (1, 0)]
    with serving(models, home, FAUSSAIRE_WATCH_SECONDS="0.05") as server:
        stop = Event()

        def client() -> list[tuple[str, bytes]]:
            answers = []
            with httpx.Client(base_url=server.base_url, timeout=60) as own:
                while not stop.is_set():
                    assert own.get("/readyz").status_code == 200
                    answers.append(drawn(own))
            return answers

        with ThreadPoolExecutor(4) as crowd:
            clients = [crowd.submit(client) for _ in range(4)]
            try:
                for turn in range(6):
                    name = put(versions[turn % 2], models)
                    until = time.monotonic() + 60
                    while drawn(server)[0] != name:
                        assert time.monotonic() < until
            finally:
                stop.set()
            answers = [answer for one in clients for answer in one.result()]
    contents = {name: {content for version, content in answers if version == name} for name in names}
    assert {version for version, _ in answers} == set(names)
    assert [len(different) for different in contents.values()] == [1, 1]


def test_a_process_that_is_told_to_looks_at_once(tmp_path: Path, versions: list[Path]) -> None:
    models, home = tmp_path / "models", tmp_path / "home"
    models.mkdir()
    home.mkdir()
    put(versions[0], models)
    with serving(models, home, FAUSSAIRE_WATCH_SECONDS="0") as server:
        name = put(versions[1], models)
        assert drawn(server)[0] != name
        (worker,) = workers(models)
        worker.send_signal(signal.SIGHUP)
        until = time.monotonic() + 60
        while drawn(server)[0] != name:
            assert time.monotonic() < until
        assert [p.pid for p in workers(models)] == [worker.pid]
        assert 'faussaire_reloads_total{outcome="taken"} 1.0' in server.get("/metrics").text
        assert "taken, a model of digest" in (home / "serve.log").read_text()
