"""`POST /v1/codes`: the way back, from an image file to its codes."""

import time
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.context import context_of
from service.api.fields import Model
from service.http.problems import describe
from service.reading.reader import CodesReader, ImageCodes
from service.reading.upload import FORMATS
from service.telemetry.observation import Stage, observation_of

ANSWERS: dict[int | str, dict[str, Any]] = {
    404: describe("There is no such model"),
    413: describe("The file is too large"),
    415: describe("The body is not an image"),
    422: describe("The image is blank, damaged, a sheet or too large, or the model has no recogniser"),
    429: describe("Too many images are waiting: see Retry-After"),
}

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in FORMATS.values()},
    }
}
"""The body, for OpenAPI: FastAPI has no field for a raw file."""


class CodesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Model = Field(
        default=None,
        description="The model whose codes to read: a name of `GET /v1/models`; or one version, `NAME@` and at least "
        "the first 12 digits of its digest. If absent: the version that drew the image if the image records it, else "
        "the default model.",
    )


async def read_codes(query: Annotated[CodesQuery, Query()], request: Request) -> ImageCodes:
    """Read the codes of an image.

    A PNG that this service drew records its own codes. The service lays any other image out in the frame of the
    model's data set, and the model's recogniser reads it.
    """
    context, observation = context_of(request), observation_of(request)
    catalogue = context.catalogue
    observation.model = catalogue.find(query.model).version.name
    observation.images = 1
    content = await request.body()
    reader, started = CodesReader(catalogue, context.settings.max_pixels), time.perf_counter()
    codes = await context.reading.run(lambda: reader.read(content, query.model))
    observation.model = codes.model
    observation.stages.append(Stage("reading", started, time.perf_counter()))
    return codes
