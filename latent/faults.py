"""What is wrong with a file, in words for one line."""

from pydantic import ValidationError


def explain(error: ValidationError, field: str = "field") -> str:
    """The first fault, behind the place of the `field`: `field 'before.0': Input should be a valid string`.

    Without a place if all of the file is wrong.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{field} '{place}': {first['msg']}" if place else first["msg"]
