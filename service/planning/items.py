"""The items of one request, each with codes of its own: one that is not valid fails alone."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from latent import Codes, GeneratorCard
from service.api.fields import ImagesRequest, Point
from service.errors import EveryItemFailed, FieldConflict, RequestError, within
from service.http.problems import Problem, first_fault, invalid_field, refusal
from service.planning.codes import codes_of
from service.planning.plan import Plan
from service.planning.provenance import Source, source_of

EXCLUDED = {"n": "n", "class_": "class", "style": "style", "noise": "noise"}
"""What an item has of its own, so that the request must not, by its name in the body."""


def check_alone(body: ImagesRequest) -> None:
    """Raises FieldConflict where a field beside the items says what they say."""
    for attribute, name in EXCLUDED.items():
        if attribute in body.model_fields_set:
            raise FieldConflict(name, f"Leave '{name}' out beside 'items': each item is one image with its own codes.")


def first_seed(items: Sequence[Any], seed: int) -> int:
    """That of the first item, before it is known whether the item is valid; without one of its own the request's."""
    own = items[0].get("seed") if isinstance(items[0], dict) else None
    return own if isinstance(own, int) else seed


def plan_of_items(body: ImagesRequest, items: Sequence[Any], card: GeneratorCard, digest: str, seed: int) -> Plan:
    """Raises EveryItemFailed."""
    codes: list[Codes] = []
    sources: list[Source] = []
    failed: dict[int, Problem] = {}
    for place, item in enumerate(items):
        try:
            row, source = _item(body, place, item, card, seed)
        except ValidationError as error:
            failed[place] = _fault(error, place)
        except RequestError as error:
            failed[place] = refusal(error)
        else:
            codes.append(row)
            sources.append(source)
    if not codes:
        raise _every_one(failed)
    return Plan(card, digest, seed, body.index, Codes.concatenate(codes), sources, failed=failed)


def _item(body: ImagesRequest, place: int, item: Any, card: GeneratorCard, seed: int) -> tuple[Codes, Source]:
    point = Point.model_validate(item)
    if "truncation" not in point.model_fields_set:
        point.truncation = body.truncation
    own_seed, own_index = seed_and_index(point, seed, body.index + place)
    with within(f"items.{place}"):
        return codes_of(point, card.space, own_seed, own_index), source_of(point, own_seed, own_index)


def seed_and_index(point: Point, seed: int, index: int) -> tuple[int, int]:
    """The point's own; where it has no seed, the given ones; and 0 as the index of a seed of its own."""
    fallback = index if point.seed is None else 0
    return seed if point.seed is None else point.seed, fallback if point.index is None else point.index


def _fault(error: ValidationError, place: int) -> Problem:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    where, message = first_fault([fault | {"loc": ("body", *fault["loc"])} for fault in errors])
    if where == "body":
        return invalid_field("Each item is one JSON object.", f"items.{place}")
    return invalid_field(message, f"items.{place}.{where}")


def _every_one(failed: dict[int, Problem]) -> EveryItemFailed:
    first = failed[0]
    error = EveryItemFailed(first["field"], f"The first: {first['detail']}")
    error.headers["Faussaire-Failed"] = ",".join(map(str, failed))
    return error
