"""Models go to a catalogue of others and come back, by the very lines of docs/upgrades.md."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from service.settings import ROOT

BIN = ROOT / ".venv/clients/bin"

(SECTION,) = re.findall(r"^## Catalogues\n(.*?)^## ", (ROOT / "docs/upgrades.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with `models/`."""
    (tmp_path / "models").mkdir()
    for path in (ROOT / "models").glob("mnist-infogan.*onnx"):
        shutil.copy(path, tmp_path / "models")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_mlflow_keeps_a_model_and_gives_it_back(place: Path) -> None:
    if not BIN.exists():
        pytest.skip("make .venv/clients/installed has not been run")
    (log,) = re.findall(r"^```python\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
    environment = os.environ | {"MLFLOW_TRACKING_URI": (place / "store").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    told = []
    for _ in range(2):
        done = subprocess.run(
            [BIN / "python", "-c", log], cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.split()[-2:])
    (run, first), (_, second) = told
    assert (first, second) == ("1", "2")
    (line,) = re.findall(r"^mlflow (.*?) +#", SECTION, re.MULTILINE)
    command = [BIN / "mlflow", *line.replace("RUN_ID", run).split()]
    subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True)
    assert contents(place / "fetched") == contents(place / "models")
