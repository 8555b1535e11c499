"""docs/reproducibility.md: its program draws a picture of the service again, from the model's file alone."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.testclient import TestClient

from service.settings import ROOT
from tests.docs import markdown


def run(tmp_path: Path, model: str, picture: bytes) -> str:
    (block,) = re.findall(r"```python\n(.*?)```", markdown.page("docs/reproducibility.md"), re.DOTALL)
    (tmp_path / "check.py").write_text(block, encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(picture)
    command: list[str | Path] = [
        sys.executable,
        "-W",
        "error",
        "check.py",
        ROOT / "models" / f"{model}.onnx",
        "picture.png",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "mnist-infogan", "seed": 2**63 - 1, "index": 12345},
        {"model": "fashion-cgan", "class": "bag", "seed": 1, "truncation": 0.3},
        {"model": "mnist-infogan", "class": {"3": 1, "8": 2}, "style": [0.5], "noise": [0.25] * 62},
    ],
    ids=str,
)
def test_the_program_draws_the_same(client: TestClient, tmp_path: Path, asked: dict[str, Any]) -> None:
    picture = client.post("/v1/images", json=asked).content
    assert run(tmp_path, asked["model"], picture) == "the same"


def test_the_program_tells_another_picture_and_another_version(client: TestClient, tmp_path: Path) -> None:
    picture = client.post("/v1/images", json={"model": "mnist-infogan", "seed": 1}).content
    assert "another version drew it" in run(tmp_path, "mnist-cgan", picture)
    (tmp_path / "one.png").write_bytes(picture)
    drawn, chunks = Image.open(tmp_path / "one.png"), PngInfo()
    chunks.add_text("faussaire", json.dumps(json.loads(drawn.info["faussaire"]) | {"seed": 2}))
    drawn.save(tmp_path / "forged.png", pnginfo=chunks)
    assert run(tmp_path, "mnist-infogan", (tmp_path / "forged.png").read_bytes()) == "not the same"
