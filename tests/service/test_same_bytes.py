"""An image is a function of model, codes, seed and index: one string of bytes, however it came to be drawn.

The property is put to a generator that ships, and to builds that break it in the two ways that are easiest to overlook,
to see that it would tell.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from latent import Codes
from latent.origin import INDEX_LIMIT
from service.api.images import ImagesRequest
from service.encoding.formats import Rendering, encode, text_of
from service.inference.batcher import Batcher
from service.inference.generator import Generator
from service.planning.plan import Plan, plan_row
from service.settings import ROOT

EXAMPLES = 200
MOST_ROWS = 300
MODEL = ROOT / "models" / "mnist-cgan.onnx"

Draw = Callable[[Sequence[ImagesRequest], int], bytes]
"""The PNG of one of several images that are drawn in one batch."""


@pytest.fixture(scope="module")
def shipped() -> Generator:
    return Generator(MODEL, threads=1)


def request_of(seed: int, index: int, class_: int | None) -> ImagesRequest:
    return ImagesRequest.model_validate({"seed": seed, "index": index, "class": class_})


requests = st.builds(
    request_of,
    seed=st.integers(0, 2**63 - 1),
    index=st.integers(0, INDEX_LIMIT - MOST_ROWS),
    class_=st.one_of(st.none(), st.integers(0, 9)),
)


def neighbours(seed: int, count: int) -> list[ImagesRequest]:
    rng = np.random.default_rng(seed)
    return [request_of(*map(int, rng.integers(0, (2**63 - 1, 2**62 - 1, 10)))) for _ in range(count)]


def plan(model: Generator, request: ImagesRequest) -> Plan:
    assert request.seed is not None
    return plan_row(request, model.version, request.seed, request.index, request.n)


def codes(model: Generator, request: ImagesRequest) -> Codes:
    return plan(model, request).codes


def png(model: Generator, request: ImagesRequest, drawn: NDArray[np.uint8]) -> bytes:
    images = drawn if drawn.ndim == 4 else drawn[None]
    planned, rendering = plan(model, request), Rendering("png")
    return encode(planned, images, rendering, text_of(planned, rendering))


def drawn_by(model: Generator) -> Draw:
    def draw(batch: Sequence[ImagesRequest], place: int) -> bytes:
        drawn = model.generate(Codes.concatenate([codes(model, request) for request in batch]))
        return png(model, batch[place], drawn[place])

    return draw


def keyed_by_position(model: Generator) -> Draw:
    """A build whose noise is that of the place in the batch."""

    def draw(batch: Sequence[ImagesRequest], place: int) -> bytes:
        moved = [request.model_copy(update={"index": position}) for position, request in enumerate(batch)]
        drawn = model.generate(Codes.concatenate([codes(model, request) for request in moved]))
        return png(model, batch[place], drawn[place])

    return draw


def the_same_alone_and_in_any_batch(draw: Draw, phases: Sequence[Phase] = tuple(Phase)) -> None:
    """Raises AssertionError where it is not."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=phases)
    @given(requests, st.integers(1, MOST_ROWS), st.integers(0, 2**32), st.data())
    def holds(request: ImagesRequest, rows: int, others: int, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, rows - 1), "place")
        batch = neighbours(others, rows)
        batch[place] = request
        assert draw(batch, place) == draw([request], 0)

    holds()


def test_an_image_is_the_same_alone_and_at_any_place_of_any_batch(shipped: Generator) -> None:
    the_same_alone_and_in_any_batch(drawn_by(shipped))


def test_the_property_tells_a_generator_that_depends_on_the_size_of_its_batch(sensitive: Generator) -> None:
    with pytest.raises(AssertionError):
        the_same_alone_and_in_any_batch(drawn_by(sensitive), [Phase.generate])


def test_the_property_tells_a_build_whose_noise_is_that_of_the_place_in_the_batch(shipped: Generator) -> None:
    with pytest.raises(AssertionError):
        the_same_alone_and_in_any_batch(keyed_by_position(shipped), [Phase.generate])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(requests, st.integers(1, MOST_ROWS)), min_size=2, max_size=6))
def test_a_request_is_answered_the_same_alone_and_beside_any_others(
    shipped: Generator, asked: list[tuple[ImagesRequest, int]]
) -> None:
    several = [request.model_copy(update={"n": n}) for request, n in asked]

    async def together() -> list[bytes]:
        async with Batcher("test", shipped.generate, max_rows=6 * MOST_ROWS) as batcher:
            drawn = await asyncio.gather(*(batcher.submit(codes(shipped, request)) for request in several))
        return [png(shipped, request, one.images) for request, one in zip(several, drawn, strict=True)]

    alone = [png(shipped, request, shipped.generate(codes(shipped, request))) for request in several]
    assert asyncio.run(together()) == alone


ALONE = """
import hashlib, json, sys
from pathlib import Path
from starlette.testclient import TestClient
from service.app import create_app
from service.settings import Settings

with TestClient(create_app(Settings(default_model="mnist-cgan", watch_seconds=0))) as client:
    for body in json.load(sys.stdin):
        print(hashlib.sha256(client.post("/v1/images", json=body).content).hexdigest())
"""


def test_an_image_is_the_same_asked_for_alone_of_a_service_in_another_process(shipped: Generator) -> None:
    batch = neighbours(1, MOST_ROWS)
    drawn = shipped.generate(Codes.concatenate([codes(shipped, request) for request in batch]))
    here = [png(shipped, request, image) for request, image in zip(batch, drawn, strict=True)]
    bodies = [request.model_dump(by_alias=True, exclude_none=True) for request in batch]
    there = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE],
        input=json.dumps(bodies),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.split() == [hashlib.sha256(content).hexdigest() for content in here]
