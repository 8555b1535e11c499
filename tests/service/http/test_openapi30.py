import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from service.http.openapi30 import as_version_30

LATER = {"const", "contentEncoding", "contentMediaType", "examples", "prefixItems", "propertyNames"}
"""Words of schemas that 3.0 does not know."""


def test_both_documents_are_valid(client: TestClient) -> None:
    OpenAPIV31SpecValidator(client.get("/openapi.json").json()).validate()
    OpenAPIV30SpecValidator(client.get("/openapi-3.0.json").json()).validate()


def test_the_older_document_has_the_same_operations_and_fields(client: TestClient) -> None:
    new, old = client.get("/openapi.json").json(), client.get("/openapi-3.0.json").json()
    assert old["openapi"] == "3.0.3"
    for path, methods in new["paths"].items():
        for method, operation in methods.items():
            other = old["paths"][path][method]
            assert operation["operationId"] == other["operationId"]
            assert operation["responses"].keys() == other["responses"].keys()
            names = [[one["name"] for one in each["parameters"]] for each in (operation, other)]
            assert names[0] == names[1]
    for name, schema in new["components"]["schemas"].items():
        other = old["components"]["schemas"][name]
        assert schema.get("properties", {}).keys() == other.get("properties", {}).keys()
        assert schema.get("required") == other.get("required")


def test_the_older_document_has_no_later_word(client: TestClient) -> None:
    said = json.dumps(client.get("/openapi-3.0.json").json()["components"])
    assert not [word for word in LATER if f'"{word}":' in said]
    assert '"type": "null"' not in said


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"$ref": "#/a"}, {"type": "null"}], "description": "d"},
            {"allOf": [{"$ref": "#/a"}], "description": "d", "nullable": True},
        ),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}),
        ({"const": 3}, {"enum": [3]}),
        (
            {"properties": {"const": {"const": 1}, "examples": {}}},
            {"properties": {"const": {"enum": [1]}, "examples": {}}},
        ),
        (
            {"type": "array", "items": {"const": "a"}, "examples": [[], [1]]},
            {"type": "array", "items": {"enum": ["a"]}, "example": []},
        ),
    ],
)
def test_each_word_has_its_older_one(new: dict[str, Any], old: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(new)
    assert as_version_30({"components": {"schemas": {"One": new}}})["components"]["schemas"]["One"] == old
