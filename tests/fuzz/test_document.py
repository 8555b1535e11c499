"""Requests that schemathesis makes of the OpenAPI document, right ones and wrong ones."""

import subprocess
from pathlib import Path

import httpx
import pytest

from service.settings import ROOT
from tests.end_to_end.conftest import serving

SCHEMATHESIS = ROOT / ".venv/clients/bin/schemathesis"

EXAMPLES = 30
"""For each operation and phase."""


def test_the_service_does_what_its_document_says(tmp_path: Path) -> None:
    if not SCHEMATHESIS.exists():
        pytest.skip("make .venv/clients/installed has not been run")
    with serving(ROOT / "models", tmp_path) as client:
        command: list[str | Path] = [
            SCHEMATHESIS,
            "run",
            f"{client.base_url}/openapi.json",
            "--max-examples",
            str(EXAMPLES),
            "--seed",
            "1",
        ]
        # No schema says which classes a model has, or which two fields exclude each other.
        command += ["--exclude-checks", "positive_data_acceptance"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-5_000:]
        assert client.get("/readyz").status_code == httpx.codes.OK
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
