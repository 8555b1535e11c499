"""Clients that two generators make of the service's documents."""

import base64
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from service.settings import ROOT
from tests.conftest import program

WEB = Path(__file__).parent / "web"
CLIENTS = ROOT / ".venv/clients/bin"

DRAW = """
import sys
from made import Client
from made.api.default import draw_images, get_model, list_models, read_codes
from made.models import Images
from made.types import File

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
body = Images.from_dict({"class": "7", "style": [0.5, -0.5], "seed": 1, "format": "png"})
drawn = draw_images._get_kwargs(body=body)
answer = client.get_httpx_client().request(**drawn)
assert len(list_models.sync(client=client).models) >= 4
assert get_model.sync("mnist-cgan", client=client).card.name == "mnist-cgan"
codes = read_codes.sync(client=client, body=File(payload=answer.content))
assert codes.class_ == "7", codes
sys.stdout.buffer.write(answer.content)
"""


@pytest.fixture(scope="session")
def web() -> None:
    program("node")
    subprocess.run([program("npm"), "ci", "--silent"], cwd=WEB, check=True)


@pytest.mark.parametrize("document", ["openapi.json", "openapi-3.0.json"])
def test_a_client_in_python_draws(url: str, expected: bytes, document: str, tmp_path: Path) -> None:
    generator = CLIENTS / "openapi-python-client"
    if not generator.exists():
        pytest.skip("make .venv/clients/installed has not been run")
    path = tmp_path / document
    path.write_bytes(httpx.get(f"{url}/{document}").content)
    (tmp_path / "config.yaml").write_text("package_name_override: made\npost_hooks: []\n")
    options = ["--path", str(path), "--output-path", "client", "--config", "config.yaml"]
    said = subprocess.run([generator, "generate", *options], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "will be omitted" not in said.stdout.replace("Unsupported content_type application/x-tar", "")
    command: list[str | Path] = [CLIENTS / "python", "-c", DRAW, url]
    assert subprocess.run(command, cwd=tmp_path / "client", capture_output=True, check=True).stdout == expected


@pytest.mark.parametrize("document", ["openapi.json", "openapi-3.0.json"])
@pytest.mark.usefixtures("web")
def test_a_client_in_typescript_draws(url: str, expected: bytes, document: str, tmp_path: Path) -> None:
    for name in ("draw.ts", "tsconfig.json", "package.json"):
        shutil.copy(WEB / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    tools = WEB / "node_modules/.bin"
    (tmp_path / document).write_bytes(httpx.get(f"{url}/{document}").content)
    subprocess.run([tools / "openapi-typescript", document, "--output", "api.d.ts"], cwd=tmp_path, check=True)
    checked = subprocess.run([tools / "tsc"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    drawn = subprocess.run([program("node"), "draw.js", url], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert base64.b64decode(drawn.stdout) == expected
