"""The README's tables are what the code has, and its request and its Python draw what they say."""

import io
import json
import re
import runpy
from pathlib import Path

from PIL import Image as Picture
from prometheus_client import REGISTRY
from starlette.testclient import TestClient
from typer.main import get_command

from faussaire import Image, Problem
from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import listening
from tests.docs import markdown
from training.cli import app
from training.datasets.sources import SOURCES
from training.recipes.presets import PRESETS

README = markdown.page("README.md")


def test_every_setting_is_in_the_table_with_its_default_and_meaning() -> None:
    expected = []
    for name, field in Settings.model_fields.items():
        default = field.default.relative_to(ROOT) if isinstance(field.default, Path) else field.default
        expected.append([f"`FAUSSAIRE_{name.upper()}`", f"`{default}`", field.description])
    assert markdown.table(README, "environment variable") == expected


def test_every_metric_is_in_the_table() -> None:
    families = [family for family in REGISTRY.collect() if family.name.startswith("faussaire_")]
    named = {f"`{f.name}_total`" if f.type == "counter" else f"`{f.name}`": [f.type, f.documentation] for f in families}
    assert {row[0]: row[1:] for row in markdown.table(README, "metric")} == named


def test_every_operation_is_in_the_table(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    rows = markdown.table(README, "endpoint")
    listed = {name for row in rows for name in re.findall(r"`([A-Z]+ /\S*)`", row[0])}
    assert operations <= listed
    assert listed - operations == {
        "GET /livez",
        "GET /readyz",
        "GET /metrics",
        "GET /",
        "GET /docs",
        "GET /openapi.json",
        "POST /v2/models/{name}/infer",
    }


def test_every_command_is_in_the_table() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert {row[0].split()[1] for row in markdown.table(README, "command")} == set(commands)


def test_every_preset_is_in_the_table() -> None:
    expected = [
        [f"`{name}`", f"`{row.network}`", f"`{row.objective}`", f"`{row.codes}`", row.source]
        for name, row in PRESETS.items()
    ]
    assert markdown.table(README, "preset") == expected


def test_the_one_request_gives_the_picture_below_it(client: TestClient) -> None:
    body = re.search(r"-d '(\{.*?\})'", README)
    assert body is not None
    response = client.post("/v1/images", json=json.loads(body[1]))
    assert response.status_code == 200
    shown = Picture.open(ROOT / "docs" / "pictures" / "seven.png")
    answered = Picture.open(io.BytesIO(response.content))
    assert (answered.tobytes(), answered.info) == (shown.tobytes(), shown.info)


def test_the_python_code_runs_and_draws_what_it_says(client: TestClient, tmp_path: Path) -> None:
    blocks = markdown.code(README, "python")
    assert len(blocks) == 2
    program = tmp_path / "readme.py"
    with listening(create_app(Settings())) as url:
        program.write_text("\n\n".join(blocks).replace("http://127.0.0.1:3000", url), encoding="utf-8")
        made = runpy.run_path(str(program))
    body = {"class": "7", "seed": 1}
    assert made["seven"].png == made["pngs"][7] == client.post("/v1/images", json=body).content
    assert made["digits"].shape == (100, 28, 28, 1)
    assert [type(one) for one in made["drawn"]] == [Image, Problem]
    assert made["codes"].class_ == "7"


def test_the_shipped_models_are_small_and_draw_every_class_by_its_name(client: TestClient) -> None:
    models = {model["card"]["name"]: model["card"] for model in client.get("/v1/models").json()["models"]}
    assert set(models) == {"mnist-infogan", "fashion-infogan", "mnist-cgan", "fashion-cgan"}
    for name, card in models.items():
        assert (ROOT / "models" / f"{name}.onnx").stat().st_size <= 3_000_000
        assert card["space"]["noise_size"] == 62
        assert len(card["space"]["styles"]) == (2 if "infogan" in name else 0)
        for code in card["space"]["classes"]:
            assert code["purity"] is not None
            body = {"model": name, "class": code["name"]}
            assert client.post("/v1/images", json=body).status_code == 200
        names = {code["name"] for code in card["space"]["classes"]}
        assert names == set(SOURCES[card["data"]["name"]].classes)
