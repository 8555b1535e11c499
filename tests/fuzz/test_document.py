"""Requests that schemathesis makes of the OpenAPI document, right ones and wrong ones."""

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from service.settings import ROOT
from tests.end_to_end.conftest import serving

SCHEMATHESIS = ROOT / ".venv/clients/bin/schemathesis"
HERE = Path(__file__).parent

EXAMPLES = 100
"""For each operation and phase."""


def test_the_service_does_what_its_document_says(tmp_path: Path) -> None:
    if not SCHEMATHESIS.exists():
        pytest.skip("make .venv/clients/installed has not been run")
    with serving(ROOT / "models", tmp_path) as client:
        command: list[str | Path] = [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run"]
        command += [f"{client.base_url}/openapi.json", "--max-examples", str(EXAMPLES), "--seed", "1"]
        hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.small", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True, check=False
        )
        said = "\n".join(line[:300] for line in done.stdout.splitlines())  # it may say a body of megabytes
        assert done.returncode == 0, said
        print(said)
        assert client.get("/readyz").status_code == httpx.codes.OK
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
