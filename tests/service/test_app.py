"""A client can work from /openapi.json alone: what it shows as examples is answered as it says."""

import io
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from jsonschema import Draft202012Validator
from PIL import Image
from starlette.testclient import TestClient

from service.reading.upload import FORMATS
from service.settings import Settings
from tests.conftest import small_card, write_recogniser, write_small

PROBLEM = "application/problem+json"
EXAMPLE = "mnist-infogan"
"""The model that the examples name."""

OPERATIONS = {
    "describe_dataset",
    "draw_images",
    "get_image",
    "draw_traversal",
    "draw_interpolation",
    "read_codes",
    "verify_image",
    "stream_dataset",
    "get_dataset",
    "list_models",
    "get_model",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("models")
    write_recogniser(write_small(folder, EXAMPLE), small_card(EXAMPLE))
    return Settings(models_dir=folder)


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and operation by the operation's id."""
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document
    for part in schema.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return found if "$ref" in schema else schema


def examples(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """What httpx sends for each documented example; of an image file, one of each kind that is read."""
    shown = [p for p in operation.get("parameters", []) if p["in"] == "query" and "examples" in p["schema"]]
    params = {parameter["name"]: parameter["schema"]["examples"][0] for parameter in shown}
    if "requestBody" not in operation:
        bare: list[dict[str, Any]] = [] if "n" in params else [{}]  # a whole data set takes a while
        return [*bare, {"params": params}] if params else bare
    content = operation["requestBody"]["content"]
    if "application/json" in content:
        schema = resolved(document, content["application/json"]["schema"])
        return [{"json": body, "params": params} for body in schema["examples"]]
    kinds = {media_type: kind for kind, media_type in FORMATS.items()}
    return [
        {"content": picture(kinds[media_type]), "headers": {"Content-Type": media_type}}
        for media_type in content
        if media_type in kinds
    ]


def picture(kind: str) -> bytes:
    page = Image.new("L", (200, 200), "white")
    page.paste("black", (80, 30, 120, 170))
    buffer = io.BytesIO()
    page.save(buffer, kind)
    return buffer.getvalue()


def addresses(path: str, operation: dict[str, Any]) -> list[str]:
    """The path, with each documented example of its parameter."""
    named = [p for p in operation.get("parameters", []) if p["in"] == "path"]
    return [path.format(**{p["name"]: example}) for p in named for example in p["schema"]["examples"]] or [path]


def asked(client: TestClient, method: str, path: str, operation: dict[str, Any], **sent: Any) -> Response:
    """The answer; of the path's parameter, the first documented example."""
    response: Response = client.request(method, addresses(path, operation)[0], **sent)
    return response


def check(document: dict[str, Any], operation: dict[str, Any], response: Response) -> str:
    """The content type, which is documented for the status, and of JSON the schema too."""
    kind = response.headers["content-type"]
    content = operation["responses"][str(response.status_code)]["content"]
    assert kind in content, (response.status_code, kind)
    if kind.endswith("json"):
        schema = content[kind]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(response.json())
    return kind


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_example_is_answered_as_the_document_says(client: TestClient, document: Any, name: str) -> None:
    method, path, operation = operations(document)[name]
    offered = set(operation["responses"]["200"]["content"])
    answered = set()
    for address, sent in product(addresses(path, operation), examples(document, operation)):
        assert client.request(method, address, **sent).status_code == 200
        for kind in offered:
            headers = sent.get("headers", {}) | {"Accept": kind}
            response = client.request(method, address, **(sent | {"headers": headers}))
            told = check(document, operation, response)
            # Not every example can be had in every type: an animation has one axis, NumPy's format no scale.
            answered |= {told} if response.is_success else set()
    assert answered == offered


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_what_is_refused_is_a_problem_that_the_document_knows(client: TestClient, document: Any, name: str) -> None:
    method, path, operation = operations(document)[name]
    sent: list[dict[str, Any]] = []
    if operation.get("parameters"):
        sent += [{"params": {"model": "none"}}, {"params": {"modle": "red"}}] if "{" not in path else []
    if "requestBody" in operation:
        sent += [{"content": b" " * 5_000_000}, {"content": b"{"}, {"json": {"model": "none"}}, {"json": {"n": 0}}]
    for each in sent:
        headers = {"Content-Type": "application/json"}
        response = asked(client, method, path, operation, headers=headers, **each)
        assert response.is_error, each
        assert check(document, operation, response) == PROBLEM
    if "{" in path:
        response = client.request(method, path.format(name="none"))
        assert check(document, operation, response) == PROBLEM


def test_an_item_that_failed_is_as_the_document_says(client: TestClient, document: Any) -> None:
    method, path, operation = operations(document)["draw_images"]
    body = {"items": [{"class": "7", "truncation": 0.5}, {"class": "eleven"}, {"noise": [0.5] * 62}], "format": "json"}
    response = asked(client, method, path, operation, json=body)
    assert response.status_code == 200
    assert check(document, operation, response) == "application/json"


def test_every_operation_has_a_name_that_a_function_can_have_and_says_what_it_does(document: Any) -> None:
    found = operations(document)
    assert set(found) == OPERATIONS
    for name, (_, _, operation) in found.items():
        assert name.isidentifier()
        assert operation["summary"]
        assert operation["description"]


def test_every_link_leads_to_an_operation_and_a_parameter_that_it_has(document: Any) -> None:
    found = operations(document)
    followed = set()
    for _, _, operation in found.values():
        for link in operation["responses"]["200"].get("links", {}).values():
            _, _, target = found[link["operationId"]]
            assert link["parameters"].keys() <= {parameter["name"] for parameter in target["parameters"]}
            followed.add(link["operationId"])
    assert followed == {"get_image", "get_dataset", "get_model"}
