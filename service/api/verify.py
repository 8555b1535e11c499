"""`POST /v1/verify`: whether this service drew an image."""

import asyncio
import time
from typing import Any

from fastapi import Request

from latent.verification import Unverified
from service.api.codes import BODY
from service.api.context import context_of, observe_version
from service.http.problems import describe
from service.reading.verifier import Verification, check, read_claim, refuse
from service.telemetry.observation import Stage, observation_of

__all__ = ["ANSWERS", "BODY", "verify_image"]

ANSWERS: dict[int | str, dict[str, Any]] = {
    413: describe("The file is too large"),
    415: describe("The body is not an image"),
    422: describe("The image is damaged, too large, or a sheet of too many images"),
    429: describe("Too many images are waiting: see Retry-After"),
}


async def verify_image(request: Request) -> Verification:
    """Say whether this service drew an image.

    A PNG of ours records its codes. The service draws them again, and compares pixel by pixel: an image or a sheet, of
    any scale, saved again or not, as long as no pixel is lost and the record is kept.
    """
    context, observation, started = context_of(request), observation_of(request), time.perf_counter()
    content, catalogue, settings = await request.body(), context.catalogue, context.settings
    try:
        checked = await context.reading.run(
            lambda: read_claim(content, catalogue, settings.max_pixels, settings.max_images)
        )
    except Unverified as unverified:
        return refuse(unverified)
    observe_version(request, catalogue, checked.served)
    observation.images = checked.claim.count
    observation.stages.append(Stage("reading", started, time.perf_counter()))
    codes = await asyncio.to_thread(checked.claim.codes)
    drawn = await checked.served.batcher.submit(codes)
    return await context.reading.run(lambda: check(checked, drawn.images))
