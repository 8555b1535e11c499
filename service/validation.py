"""From pydantic's errors to the one field at fault, and what would be right there."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import InvalidField

Model = TypeVar("Model", bound=BaseModel)

Location = tuple[int | str, ...]

KEY = "[key]"
"""The last part of pydantic's location of a key that is not valid."""


def validate(model: type[Model], value: Any) -> Model:
    """The value as the model reads it, with null for what is absent, and 1.0 for 1. Raises InvalidField."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        unknown = [fault for fault in _errors(error) if fault["type"] == "extra_forbidden"]
    if unknown:  # null is no value for a field that does not exist
        raise first_fault(unknown, value)
    plain = _plain(value)
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise first_fault(_errors(error), plain) from None


def _errors(error: ValidationError) -> list[Any]:
    return error.errors(include_url=False, include_context=False)


def _plain(value: Any) -> Any:
    """Without members that are null; and whole numbers as JSON Schema has them: 1.0 is one."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def first_fault(errors: Sequence[Any], submitted: Any) -> InvalidField:
    """The first field at fault in a value that pydantic refused. Its path is empty if the whole value is at fault.

    The detail says what each member of a union expects.
    """
    first = errors[0]
    if first["type"] == "extra_forbidden":
        return InvalidField(field_path(first, submitted), "There is no such field; see /docs for the fields.")
    same_field = [error for error in errors if error["loc"][:1] == first["loc"][:1]]
    paths = [field_path(error, submitted) for error in same_field]
    # The member of a union that understood most of the value knows best what is wrong with it.
    deepest = max(paths, key=lambda path: path.count("."))
    messages = [error["msg"] for path, error in zip(paths, same_field, strict=True) if path == deepest]
    return InvalidField(deepest, "; or: ".join(dict.fromkeys(messages)) + ".")


def field_path(error: Any, submitted: Any) -> str:
    """The path of an error inside the submitted value: `style.0`.

    Pydantic's location also has the names of union members. Only the submitted value tells them from keys, because a
    key may have any name.
    """
    location, target = tuple(error["loc"]), error["input"]
    if not location:
        return ""
    if error["type"] == "missing":  # the input is the object that lacks the field
        return _joined((*_walk(location[:-1], submitted, target), location[-1]))
    if location[-1] == KEY and target == location[-2]:  # the key is not valid, and not a value of that name
        return _joined((*_walk(location[:-2], submitted, None), location[-2]))
    return _joined(_walk(location, submitted, target))


def _walk(location: Location, value: Any, target: Any) -> Location:
    """The parts of a location that lead from a value to the target inside it, or as deep as the location leads."""
    ways = list(_ways(location, value))
    return next((parts for parts, end in ways if end is target), ways[0][0])


def _ways(location: Location, value: Any) -> Iterator[tuple[Location, Any]]:
    """Each way to read a location, and the value at its end; a part that is a key may also name a union member."""
    if not location:
        yield (), value
        return
    part, rest = location[0], location[1:]
    if _has(value, part):
        for parts, end in _ways(rest, value[part]):
            yield (part, *parts), end
    yield from _ways(rest, value)


def _has(value: Any, part: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _joined(parts: Location) -> str:
    return ".".join(map(str, parts))
