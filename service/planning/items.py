"""The items of one request, each with codes of its own. An invalid item fails alone."""

from collections.abc import Sequence
from typing import Any

from latent import Codes, ModelVersion
from service.errors import EveryItemFailed, InvalidField, RequestError, within
from service.planning.codes import codes_of
from service.planning.plan import Plan
from service.planning.point import Point
from service.planning.provenance import Source, source_of
from service.validation import validate


def first_seed(items: Sequence[Any], seed: int) -> int:
    """The seed of the first item, valid or not; `seed`, the request's, if the item has none."""
    own = items[0].get("seed") if isinstance(items[0], dict) else None
    return own if isinstance(own, int) else seed


def plan_items(items: Sequence[Any], version: ModelVersion, seed: int, index: int, truncation: float) -> Plan:
    """Plan one image for each item. `seed`, `index` and `truncation` are the request's, for items without their own.

    Raises EveryItemFailed if no item can be drawn.
    """
    codes: list[Codes] = []
    sources: list[Source] = []
    failed: dict[int, RequestError] = {}
    for place, item in enumerate(items):
        try:
            with within(f"items.{place}"):
                point = _validate(item, truncation)
                own_seed, own_index = point.seed_and_index(seed, index + place)
                codes.append(codes_of(point, version.card.space, own_seed, own_index))
                sources.append(source_of(point, own_seed, own_index))
        except RequestError as error:
            failed[place] = error
    if not codes:
        raise _every_item_failed(failed)
    return Plan(version, seed, index, Codes.concatenate(codes), sources, failed=failed)


def _validate(item: Any, truncation: float) -> Point:
    """Raises InvalidField."""
    try:
        point = validate(Point, item)
    except InvalidField as fault:
        raise (fault if fault.field else InvalidField(None, "Each item is one JSON object.")) from None
    if "truncation" not in point.model_fields_set:
        point.truncation = truncation
    return point


def _every_item_failed(failed: dict[int, RequestError]) -> EveryItemFailed:
    first = failed[0]
    error = EveryItemFailed(first.field, f"The first item: {first.detail}")
    error.headers["Faussaire-Failed"] = ",".join(map(str, failed))
    return error
