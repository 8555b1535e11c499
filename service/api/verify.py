"""`POST /v1/verify`: whether this service drew an image."""

import time
from typing import Any

from latent.verification import Unverified
from service.api.context import charge, context_of, observe_version
from service.http.problems import describe
from service.http.request import Answer, Request, answer_of
from service.reading.verifier import check, read_claim, refuse

ANSWERS: dict[int, dict[str, Any]] = {
    413: describe("The file is too large"),
    415: describe("The body is not an image"),
    422: describe("The image is damaged, too large, or a sheet of too many images"),
    429: describe("Too many images are waiting: see Retry-After"),
}


async def verify_image(request: Request, _: None) -> Answer:
    """Say whether this service drew an image.

    A PNG of ours records its codes. The service draws them again, and compares pixel by pixel: an image or a sheet, of
    any scale, saved again or not, as long as no pixel is lost and the record is kept.
    """
    context, observation, started = context_of(request), request.observation, time.perf_counter()
    catalogue, settings = context.catalogue, context.settings
    try:
        checked = await context.reading.run(
            lambda: read_claim(request.body, catalogue, settings.max_pixels, settings.max_images)
        )
    except Unverified as unverified:
        return answer_of(refuse(unverified))
    observe_version(request, catalogue, checked.served)
    charge(request, checked.claim.count)
    observation.note("reading", started, time.perf_counter())
    codes = await context.reading.run(checked.claim.codes)
    drawn = await checked.served.batcher.submit(codes)
    return answer_of(await context.reading.run(lambda: check(checked, drawn.images)))
