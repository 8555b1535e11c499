"""A real `bentoml serve` on a port of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(models: Path, home: Path, target: str = ".", **settings: str) -> Iterator[httpx.Client]:
    """A client of a server of `models`, whose home is a folder of its own: servers wipe each other's metrics."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "bentoml"), "serve", target, "--host", "127.0.0.1"]
    environment = os.environ | {
        "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "True",
        "FAUSSAIRE_MODELS_DIR": str(models),
        **settings,
    }
    log = home / "serve.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--timeout-graceful-shutdown", "10"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    # Refused connections are tried again with growing pauses; once it listens, the server answers when it is ready.
    transport = httpx.HTTPTransport(retries=8)
    base_url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base_url, timeout=60, transport=transport) as client:
        try:
            assert client.get("/readyz").status_code == 200, log.read_text()
            yield client
        finally:
            server.terminate()
            assert server.wait(60) == 0, log.read_text()


@pytest.fixture(scope="session")
def server(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server of the small generators."""
    with serving(models_dir, tmp_path_factory.mktemp("home"), FAUSSAIRE_DEFAULT_MODEL="small") as client:
        yield client
