"""A server whose log nobody reads."""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.end_to_end.conftest import ROOT, free_port

ENOUGH = 3_000
"""Requests whose lines fill a pipe, and what waits before it."""


def test_a_log_that_nobody_reads_does_not_hold_the_service_up(models_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "BENTOML_HOME": str(tmp_path),
        "FAUSSAIRE_MODELS_DIR": str(models_dir),
        "FAUSSAIRE_LOG_REQUESTS": "true",
    }
    command = [str(Path(sys.executable).parent / "bentoml"), "serve", ".", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, transport=transport) as client:
            for _ in range(ENOUGH):
                assert client.get("/v1/models").status_code == 200
        server.terminate()
        assert server.wait(60) == 0
        assert server.stdout is not None
        lines = server.stdout.read().splitlines()
    assert sum(b'"route": "/v1/models"' in line for line in lines) < ENOUGH
