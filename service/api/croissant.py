"""`GET /v1/datasets/croissant.json`: what the shards of a data set are, in Croissant, for loaders that read it."""

import json
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from latent.croissant import MOST_SHARDS, Described, describe
from service.api.context import choose_version
from service.api.dataset_file import DatasetQuery, requested
from service.api.datasets import open_container, shard_of
from service.http.problems import describe as problem
from service.http.request import Answer, Request

MEDIA_TYPE = "application/ld+json"

ANSWERS: dict[int, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}, "description": "The description"},
    404: problem("There is no such model"),
    422: problem("A parameter is not valid, or the format cannot hold the images"),
}


class CroissantQuery(DatasetQuery):
    """Which data set is described, in how many shards. Every parameter may be left out."""

    shards: int = Field(default=1, ge=1, le=MOST_SHARDS, description="How many files the data set has.")


async def describe_dataset(request: Request, query: CroissantQuery) -> Answer:
    """Describe a data set by Croissant 1.1: its shards, which are drawn when they are asked for, and their columns.

    The addresses of the shards begin as the one by which the description was asked for, and name the version that
    draws: they stay what they are when another version is published.
    """
    kind = query.format or "parquet"
    body = requested(query, kind, query.shards, 0)
    served = choose_version(request, body.model, query.seed)
    card = served.version.card
    open_container(body, card, shard_of(body, card, query.seed))
    told = query.model_dump(exclude={"shards", "format"}, exclude_defaults=True) | {"model": served.version.label}
    if kind == "idx":
        told["format"] = kind
    host = request.header(b"host") or ""
    folder = f"{request.scope['scheme']}://{host}{request.path.rpartition('/')[0]}/"
    data = Described(kind, query.n, query.shards, query.seed, None, folder, f"?{urlencode(told)}")
    return Answer(json.dumps(describe(data, card)).encode("ascii"), MEDIA_TYPE.encode("ascii"))
