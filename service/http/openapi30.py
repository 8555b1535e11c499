"""The OpenAPI document in the words of version 3.0, for generators of clients that know no later one."""

from typing import Any

Schema = dict[str, Any]

NULL = {"type": "null"}


def as_version_30(document: Schema) -> Schema:
    """The same API. What 3.0 has no word for is left out: an answer may then be read more freely, never less."""
    return {**_walk(document), "openapi": "3.0.3"}


def _walk(node: Any) -> Any:
    if isinstance(node, list):
        return [_walk(part) for part in node]
    if not isinstance(node, dict):
        return node
    written = {}
    for key, part in node.items():
        if key == "schema":
            written[key] = _lower(part)
        elif key == "schemas":
            written[key] = {name: _lower(schema) for name, schema in part.items()}
        else:
            written[key] = _walk(part)
    return written


def _lower(schema: Any) -> Any:
    """A schema of JSON Schema 2020-12 as one of OpenAPI 3.0 (https://spec.openapis.org/oas/v3.0.3#schema-object)."""
    if not isinstance(schema, dict):
        return schema  # true or false
    lowered: Schema = {}
    for key, part in schema.items():
        lowered |= _lower_keyword(key, part)
    if "anyOf" in lowered:
        return _without_null(lowered)
    return lowered


def _lower_keyword(key: str, part: Any) -> Schema:
    if key == "properties":
        return {key: {name: _lower(one) for name, one in part.items()}}
    if key in {"anyOf", "oneOf", "allOf"}:
        return {key: [_lower(one) if one != NULL else one for one in part]}
    if key in {"items", "additionalProperties"}:
        return {key: _lower(part)}
    if key == "prefixItems":
        return {"items": {}}
    if key == "const":
        return {"enum": [part]}
    if key == "examples":
        return {"example": part[0]}
    if key in {"exclusiveMinimum", "exclusiveMaximum"}:
        return {key: True, key.removeprefix("exclusive").lower(): part}
    if key == "contentEncoding":
        return {"format": "byte"}
    return {} if key in {"contentMediaType", "propertyNames"} else {key: part}


def _without_null(schema: Schema) -> Schema:
    others = [one for one in schema["anyOf"] if one != NULL]
    if len(others) == len(schema["anyOf"]):
        return schema
    rest = {key: part for key, part in schema.items() if key != "anyOf"}
    if len(others) > 1:
        return {**rest, "anyOf": others, "nullable": True}
    # Beside a reference nothing else is read.
    return {**rest, **({"allOf": others} if "$ref" in others[0] else others[0]), "nullable": True}
