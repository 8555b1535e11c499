"""The OpenAPI document of a table of operations."""

from collections.abc import Mapping, Sequence
from inspect import getdoc
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import WithDefaultSchema

from service.http.operation import JSON, Operation
from service.http.problems import SCHEMA, describe

Schema = dict[str, Any]
Schemas = Mapping[Any, Schema]
"""By model."""

ANY = "application/octet-stream"
"""A file is read by its content. Some generated clients can send no other type."""

BINARY: Schema = {"schema": {"type": "string", "format": "binary"}}


class JsonSchema(GenerateJsonSchema):
    """Without defaults of null: null stands for what is absent, and need not be sent."""

    def default_schema(self, schema: WithDefaultSchema) -> Schema:
        described: Schema = super().default_schema(schema)
        if described.get("default", described) is None:
            del described["default"]
        return described


def document(operations: Sequence[Operation], info: Mapping[str, str], header: Schema, unforeseen: Schema) -> Schema:
    """`header` is the parameter of what draws; `unforeseen` is the answer to an error that no operation lists."""
    listed = [operation for operation in operations if operation.listed]
    asked = [model for operation in listed if (model := operation.body) is not None]
    answered = [model for operation in listed if (model := operation.answer) is not None]
    schemas, definitions = models_json_schema(
        [*((model, "validation") for model in asked), *((model, "serialization") for model in answered)],
        ref_template="#/components/schemas/{model}",
        schema_generator=JsonSchema,
    )
    found: Schemas = {model: schema for (model, _), schema in schemas.items()}
    paths: dict[str, Schema] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, found, header, unforeseen)
    components = {"schemas": definitions.get("$defs", {}) | {"Problem": SCHEMA}}
    # Relative to the document: behind a path prefix too.
    servers = [{"url": "."}]
    return {"openapi": "3.1.0", "info": dict(info), "servers": servers, "paths": paths, "components": components}


def with_keys(described: Schema) -> Schema:
    """The same document of a service that asks for keys."""
    refusals = {"401": describe("There is no key, or not a known one"), "403": describe("The key has expired")}
    paths = {
        path: {method: one | {"responses": refusals | one["responses"]} for method, one in methods.items()}
        for path, methods in described["paths"].items()
    }
    schemes = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
    return described | {"paths": paths, "components": described["components"] | schemes, "security": [{"key": []}]}


def _describe(operation: Operation, schemas: Schemas, header: Schema, unforeseen: Schema) -> Schema:
    described: Schema = {
        "summary": operation.name.replace("_", " ").title(),
        "description": getdoc(operation.handle),
        "operationId": operation.name,
        "parameters": [*_parameters(operation), *([header] if operation.draws else [])],
        "responses": _responses(operation, schemas) | {"default": unforeseen},
    }
    if operation.body is not None:
        described["requestBody"] = {"content": {JSON: {"schema": schemas[operation.body]}}, "required": True}
    elif operation.media_types:
        described["requestBody"] = {"content": dict.fromkeys((*operation.media_types, ANY), BINARY), "required": True}
    return described


def _responses(operation: Operation, schemas: Schemas) -> Schema:
    responses = {str(status): dict(answer) for status, answer in operation.answers.items()}
    if operation.answer is not None:
        schema = schemas[operation.answer]
        responses = {"200": {"description": "The answer", "content": {JSON: {"schema": schema}}}} | responses
    if operation.links:
        links = {name: {"operationId": name, "parameters": dict(asked)} for name, asked in operation.links.items()}
        responses["200"] = responses["200"] | {"links": links}
    return responses


def _parameters(operation: Operation) -> list[Schema]:
    _, brace, named = operation.path.rpartition("{")
    path = {"name": named[:-1], "in": "path", "required": True, "schema": operation.path_schema}
    if operation.query is None:
        return [path] if brace else []
    schema = operation.query.model_json_schema(schema_generator=JsonSchema)
    required = schema.get("required", [])
    return [path] * bool(brace) + [
        {"name": name, "in": "query", "required": name in required, "allowEmptyValue": True, "schema": one}
        | ({"description": one["description"]} if "description" in one else {})
        for name, one in schema["properties"].items()
    ]
