"""The README's tables are what the code has, and its request is one that the service answers."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from typer.main import get_command

from faussaire import Image, Problem
from service.api.images import ImagesRequest
from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import listening
from training.cli import app
from training.datasets.sources import SOURCES
from training.recipes.presets import PRESETS

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """The service with the models that ship."""
    with TestClient(create_app(Settings())) as client:
        yield client


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def test_every_setting_is_in_the_table_with_its_default_and_meaning() -> None:
    expected = []
    for name, field in Settings.model_fields.items():
        default = field.default.relative_to(ROOT) if isinstance(field.default, Path) else field.default
        expected.append([f"`FAUSSAIRE_{name.upper()}`", f"`{default}`", field.description])
    assert rows("Settings") == expected


def test_every_metric_is_in_the_table() -> None:
    families = [family for family in REGISTRY.collect() if family.name.startswith("faussaire_")]
    named = {f"`{f.name}_total`" if f.type == "counter" else f"`{f.name}`": [f.type, f.documentation] for f in families}
    assert {row[0]: row[1:] for row in rows("Metrics")} == named


def test_every_operation_is_in_the_table(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    listed = {name for row in rows("Endpoints") for name in re.findall(r"`([A-Z]+ /\S*)`", row[0])}
    assert operations <= listed
    assert listed - operations == {
        "GET /livez",
        "GET /readyz",
        "GET /metrics",
        "GET /docs",
        "GET /openapi.json",
    }


def test_every_command_is_in_the_table() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert {row[0].split()[1] for row in rows("Training")} == set(commands)


def test_every_preset_is_in_the_table() -> None:
    expected = [
        [f"`{name}`", f"`{row.network}`", f"`{row.objective}`", f"`{row.codes}`", row.source]
        for name, row in PRESETS.items()
    ]
    training = README.split("\n## Training\n", 1)[1].split("\n## ", 1)[0]
    table = training.split("| preset |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in table] == expected


def test_the_one_request_gives_the_picture_below_it(client: TestClient) -> None:
    body = re.search(r"-d '(\{.*?\})'", README)
    assert body is not None
    response = client.post("/v1/images", json=json.loads(body[1]))
    assert response.status_code == 200
    assert response.content == (ROOT / "docs" / "pictures" / "seven.png").read_bytes()


COMMANDS = re.findall(r"curl -s http://127.0.0.1:3000(/v1/\S+)[^`]*? -d '(\{.*?\})'", README)


@pytest.mark.parametrize(("path", "body"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_request_is_one_that_the_service_answers(client: TestClient, path: str, body: str) -> None:
    assert {path for path, _ in COMMANDS} >= {"/v1/images", "/v1/traversals", "/v1/interpolations", "/v1/datasets"}
    with client.stream("POST", path, json=json.loads(body)) as response:
        assert response.status_code == 200


def test_the_python_code_runs_and_draws_what_it_says(client: TestClient, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
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


def test_every_field_of_a_request_for_images_is_in_the_table() -> None:
    table = README.split("| field | is | when absent |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    names = [field.alias or name for name, field in ImagesRequest.model_fields.items()]
    assert sorted(line.split("`")[1] for line in table) == sorted(names)


def test_the_way_back_gives_the_codes_of_the_image_that_goes_out(client: TestClient) -> None:
    body = re.search(r"-d '(\{.*?\})' .* -o one.png", README)
    assert body is not None
    content = client.post("/v1/images", json=json.loads(body[1])).content
    as_curl_sends = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/v1/codes", content=content, headers=as_curl_sends).json()
    assert answer["source"] == "metadata"
    assert {name: answer[name] for name in json.loads(body[1])} == json.loads(body[1])


def test_the_shipped_models_are_small_and_draw_every_class_by_its_name(client: TestClient) -> None:
    models = {model["card"]["name"]: model["card"] for model in client.get("/v1/models").json()["models"]}
    assert set(models) == {"mnist-infogan", "fashion-infogan", "mnist-acgan", "fashion-acgan"}
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


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    local = [link for link in links if not link.startswith("https://")]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []
