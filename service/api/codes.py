"""`POST /v1/codes`: the way back, from an image file to its codes."""

import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from service.api.context import charge, context_of
from service.api.fields import Model
from service.http.problems import describe
from service.http.request import Answer, Request, answer_of
from service.reading.reader import CodesReader

ANSWERS: dict[int, dict[str, Any]] = {
    404: describe("There is no such model"),
    413: describe("The file is too large"),
    415: describe("The body is not an image"),
    422: describe("The image is blank, unclear, damaged, a sheet or too large, or the model has no recogniser"),
    429: describe("Too many images are waiting: see Retry-After"),
}


class CodesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Model = Field(
        default=None,
        description="The model whose codes to read: a name of `GET /v1/models`; or one version, `NAME@` and at least "
        "the first 12 digits of its digest. If absent: the version that drew the image if the image records it, else "
        "the default model.",
    )


async def read_codes(request: Request, query: CodesQuery) -> Answer:
    """Read the codes of an image.

    A PNG that this service drew records its own codes. The service lays any other image out in the frame of the
    model's data set, and the model's recogniser reads it.
    """
    context, observation = context_of(request), request.observation
    catalogue = context.catalogue
    observation.model = catalogue.find(query.model).version.name
    charge(request, 1)
    reader, started = CodesReader(catalogue, context.settings.max_pixels), time.perf_counter()
    codes = await context.reading.run(lambda: reader.read(request.body, query.model))
    observation.model = codes.model
    observation.note("reading", started, time.perf_counter())
    return answer_of(codes)
