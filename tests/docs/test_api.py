"""docs/api.md says what the service does: fields, defaults, bounds, formats, headers and errors."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.errors import RequestError
from tests.docs import markdown
from tests.docs.curl import answers, commands

PAGE = markdown.page("docs/api.md")
OPERATIONS = re.findall(r"^## ((?:GET|POST) /\S+)$", PAGE, re.MULTILINE)
Schema = dict[str, Any]


@pytest.fixture(scope="module")
def document(client: TestClient) -> Schema:
    document: Schema = client.get("/openapi.json").json()
    return document


def resolved(document: Schema, schema: Schema) -> Schema:
    for part in schema.get("$ref", "#").split("/")[1:]:
        document = document[part]
    return document if "$ref" in schema else schema


def operation(document: Schema, name: str) -> Schema:
    method, path = name.split()
    found: Schema = document["paths"][path][method.lower()]
    return found


def fields(document: Schema, name: str) -> dict[str, tuple[Schema, bool]]:
    """The schema of each field of an operation's body, or of each parameter of its URL, and whether it is required."""
    found = operation(document, name)
    body = found.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        return properties(document, body["schema"])
    url = [one for one in found.get("parameters", []) if one["in"] in ("query", "path")]
    return {one["name"]: (one["schema"], one["required"]) for one in url}


def properties(document: Schema, schema: Schema) -> dict[str, tuple[Schema, bool]]:
    whole = resolved(document, schema)
    return {name: (one, name in whole.get("required", [])) for name, one in whole["properties"].items()}


def answer(document: Schema, name: str) -> Schema:
    content = operation(document, name)["responses"]["200"]["content"]
    return resolved(document, content["application/json"]["schema"])


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def check_rows(rows: list[list[str]], expected: dict[str, tuple[Schema, bool]]) -> None:
    """Each field has one row; a row of one field has its default, bounds and values, a row of several a link."""
    assert sorted(name for row in rows for name in named(row[0])) == sorted(expected)
    for first, kind, default, meaning in rows:
        name, *others = named(first)
        if others:
            assert "(#codes)" in meaning
            continue
        schema, required = expected[name]
        check_default(default, schema, required)
        for words in bounds(schema):
            assert words in kind, name


def check_default(cell: str, schema: Schema, required: bool) -> None:
    value = schema.get("default")
    if required or value is not None:
        assert cell == ("required" if required else f"`{shown(value)}`")
    else:
        assert not cell.startswith("`")
        assert cell != "required"


def shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def bounds(schema: Schema) -> list[str]:
    """What the table's cell has to say of a field of one kind: its bounds, or its values."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    if len(kinds) > 1:
        return []
    (kind,) = kinds
    if "enum" in kind:
        return [f"`{value}`" for value in kind["enum"]]
    if kind.get("type") == "number" and "maximum" in kind:
        return [f"number, above {kind['exclusiveMinimum']:g}, at most {kind['maximum']:g}"]
    if kind.get("type") != "integer":
        return []
    # OpenAPI has bounds as floats, each of which is exact.
    least, most = int(kind["minimum"]), int(kind.get("maximum", 0)) or int(kind.get("exclusiveMaximum", 0)) - 1
    return [f"integer, {least} to {power(most)}" if most > 0 else f"integer, at least {least}"]


def power(number: int) -> str:
    """Return a large number as the table writes it, `2^63 - 1` or `2^53`, and a smaller one in digits."""
    if number < 2**31:
        return str(number)
    exponent = number.bit_length()
    return f"2^{exponent} - 1" if number == 2**exponent - 1 else f"2^{exponent - 1}"


def test_every_operation_has_a_section(document: Schema) -> None:
    found = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    assert sorted(OPERATIONS) == sorted(found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_fields_of_an_operation_are_those_of_its_model(document: Schema, name: str) -> None:
    text = markdown.section(PAGE, name)
    check_rows(markdown.table(text, "field") or markdown.table(text, "parameter"), fields(document, name))


def test_the_codes_are_those_of_an_item(document: Schema) -> None:
    items, _ = fields(document, "POST /v1/images")["items"]
    point = next(kind["items"] for kind in items["anyOf"] if kind.get("type") == "array")
    check_rows(markdown.table(markdown.section(PAGE, "Codes"), "field"), properties(document, point))


def test_the_fields_of_an_axis_are_those_of_its_kinds(document: Schema) -> None:
    columns, _ = fields(document, "POST /v1/traversals")["columns"]
    kinds = [properties(document, kind) for kind in columns["oneOf"]]
    # One of `class`, `style` and `seed` is required, and so none of them by itself.
    expected = {name: (schema, False) for kind in kinds for name, (schema, _) in kind.items()}
    check_rows(markdown.table(markdown.section(PAGE, "Axes"), "field"), expected)


def test_the_fields_of_the_answers_are_those_of_their_models(document: Schema) -> None:
    models = answer(document, "GET /v1/models")["properties"]["models"]["items"]
    model = resolved(document, models)
    expected = {
        "field of the answer": answer(document, "POST /v1/codes"),
        "field of the verification": answer(document, "POST /v1/verify"),
        "field of a model": model,
        "field of a version": resolved(document, model["properties"]["versions"]["items"]),
        "field of a card": resolved(document, model["properties"]["card"]),
    }
    assert model == answer(document, "GET /v1/models/{name}")
    for head, schema in expected.items():
        told = [name for row in markdown.table(PAGE, head) for name in named(row[0])]
        assert sorted(told) == sorted(schema["properties"]), head


@pytest.mark.parametrize(("kind", "media_type"), [row[:2] for row in markdown.table(PAGE, "format")])
def test_a_dataset_of_a_format_has_its_content_type(client: TestClient, kind: str, media_type: str) -> None:
    body = {"n": 10, "format": named(kind)[0]}
    assert client.post("/v1/datasets", json=body).headers["content-type"] == named(media_type)[0]


FORMATS = [row[:2] for row in markdown.table(markdown.section(PAGE, "Formats"), "format")]


@pytest.mark.parametrize(("kind", "media_type"), FORMATS)
def test_images_of_a_format_have_its_content_type(client: TestClient, kind: str, media_type: str) -> None:
    path, axes = ("/v1/images", {}) if kind == "`png`" else ("/v1/traversals", {"columns": {"class": "all"}})
    response = client.post(path, json=axes | {"format": named(kind)[0]})
    assert response.headers["content-type"] == named(media_type)[0]


def test_every_format_is_in_the_table(document: Schema) -> None:
    offered = {
        value
        for name in ("POST /v1/images", "POST /v1/traversals", "POST /v1/interpolations")
        for kind in fields(document, name)["format"][0]["anyOf"]
        for value in kind.get("enum", [])
    }
    assert {named(kind)[0] for kind, _ in FORMATS} == offered


def test_every_operation_has_a_command_that_promises_an_answer(document: Schema) -> None:
    sent = commands("docs/api.md")
    assert [command.url for command in sent if command.kind is None] == []
    for path in document["paths"]:
        pattern = re.sub(r"\{\w+\}", r"[^/]+", path) + r"(\?.*)?"
        assert any(re.fullmatch(r"http://[^/]+" + pattern, command.url) for command in sent), path


def test_the_headers_of_the_answers_are_in_the_table(client: TestClient, document: Schema) -> None:
    told = {name.lower() for row in markdown.table(PAGE, "header of an answer") for name in named(row[0])}
    seen = {name for _, response in answers(client, "docs/api.md") for name in response.headers}
    of_load_and_keys = {"retry-after", "ratelimit", "ratelimit-policy", "www-authenticate"}
    of_connection = {"x-content-type-options"}  # of all, which a connection writes
    of_tensors = {"inference-header-content-length"}
    assert told == seen - {"content-length", "content-type"} | of_load_and_keys | of_connection | of_tensors
    asked = {name for row in markdown.table(PAGE, "header of a request") for name in named(row[0])}
    methods = [one for methods in document["paths"].values() for one in methods.values()]
    taken = {one["name"] for method in methods for one in method.get("parameters", []) if one["in"] == "header"}
    assert taken <= asked


def test_every_error_is_in_the_table_with_its_status() -> None:
    expected = {"invalid-field": 422, "invalid-json": 400, "internal": 500}
    kinds = RequestError.__subclasses__()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        expected[kind.slug] = kind.status
    rows = markdown.table(PAGE, "type `urn:faussaire:problem:`")
    assert {named(slug)[0]: int(status) for slug, status, _ in rows} == expected


def test_the_error_that_is_shown_is_what_the_service_answers(client: TestClient) -> None:
    (shown_problem,) = markdown.code(markdown.section(PAGE, "Errors"), "json")
    assert client.post("/v1/images", json={"class": "eleven"}).json() == json.loads(shown_problem)


def test_the_codes_of_an_image_are_those_that_it_was_drawn_from(client: TestClient) -> None:
    of_page = list(answers(client, "docs/api.md"))
    body = next(json.loads(command.data) for command, _ in of_page if command.file == "one.png")
    told, recognised = [response.json() for command, response in of_page if "/v1/codes" in command.url]
    assert told["source"] == "metadata"
    assert {name: told[name] for name in body} == body
    assert recognised["source"] == "recogniser"
