import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from starlette.testclient import TestClient

from latent import Codes, ModelVersion
from latent.sheet import enlarge
from service.encoding.formats import Rendering, encode, text_of
from service.planning.plan import Plan
from service.planning.provenance import Source
from tests.conftest import NOISE, small_card
from tests.service.conftest import pixels, pngs, posted, refused, unzipped

PATH = "/v1/images"
FORMATS = ["png", "sheet", "zip", "json", "npy"]

shapes = st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))
stacks = shapes.flatmap(lambda shape: arrays(np.uint8, shape))


def plan_of(count: int) -> Plan:
    codes = Codes(*(np.zeros((count, size), np.float32) for size in (NOISE, 10, 2)))
    return Plan(ModelVersion(small_card(), "5a" * 32), 1, 0, codes, [Source(1, k) for k in range(count)])


def encoded(images: np.ndarray, rendering: Rendering) -> bytes:
    plan = plan_of(len(images))
    return encode(plan, images, rendering, text_of(plan, rendering))


@given(stacks)
def test_npy_is_the_very_images(images: np.ndarray) -> None:
    read = np.load(io.BytesIO(encoded(images, Rendering("npy"))), allow_pickle=False)
    assert read.dtype == np.uint8
    assert np.array_equal(read, images)


@given(stacks, st.sampled_from(FORMATS), st.integers(1, 3))
def test_the_same_images_are_the_same_bytes(images: np.ndarray, kind: str, scale: int) -> None:
    first, second = (encoded(images, Rendering(kind, scale)) for _ in range(2))
    assert first == second


@given(stacks, st.integers(1, 4))
def test_a_zip_has_every_image_in_order_as_a_file_that_the_manifest_names(images: np.ndarray, scale: int) -> None:
    manifest, files = unzipped(encoded(images, Rendering("zip", scale)))
    assert [image["file"] for image in manifest["images"]] == list(files) == sorted(files)
    for content, image in zip(files.values(), images, strict=True):
        wanted = enlarge(image, scale)
        assert np.array_equal(pixels(content).reshape(wanted.shape), wanted)


@given(stacks, st.integers(1, 16))
def test_a_scaled_image_has_each_pixel_as_a_square(images: np.ndarray, factor: int) -> None:
    image = enlarge(images[0], factor)
    assert image.shape[:2] == (images.shape[1] * factor, images.shape[2] * factor)
    for row in range(factor):
        assert np.array_equal(image[row::factor, (factor - 1 - row) :: factor], images[0])


def test_every_format_has_the_same_pixels(client: TestClient) -> None:
    body: dict[str, Any] = {"seed": 3, "index": 5, "n": 4}
    stack = np.load(io.BytesIO(posted(client, PATH, **body, format="npy").content))
    assert stack.shape == (4, 28, 28, 1)
    assert stack.dtype == np.uint8
    sheet = pixels(posted(client, PATH, **body, format="sheet").content)
    assert np.array_equal(sheet, stack.reshape(2, 2, 28, 28).transpose(0, 2, 1, 3).reshape(56, 56))
    _, files = unzipped(posted(client, PATH, **body, format="zip").content)
    listed = pngs(posted(client, PATH, **body, format="json").json())
    assert list(files.values()) == listed
    for place, content in enumerate(listed):
        assert np.array_equal(pixels(content), stack[place, :, :, 0])
        assert content == posted(client, PATH, seed=3, index=5 + place).content


def test_png_is_the_one_image_or_the_sheet_of_several(client: TestClient) -> None:
    assert posted(client, PATH, seed=1, n=3, format="png").content == posted(client, PATH, seed=1, n=3).content
    assert posted(client, PATH, seed=1, n=3).content == posted(client, PATH, seed=1, n=3, format="sheet").content
    one, forced = posted(client, PATH, seed=1).content, posted(client, PATH, seed=1, format="sheet").content
    assert np.array_equal(pixels(one), pixels(forced))
    assert client.post("/v1/codes", content=one).json()["source"] == "metadata"
    assert client.post("/v1/codes", content=forced).json()["type"].endswith("sheet-of-images")


def test_json_and_the_manifest_tell_the_same_of_every_image(client: TestClient) -> None:
    body: dict[str, Any] = {"seed": 3, "n": 2, "class": "7", "style": {"slant": 0.5, "width": 2}, "truncation": 0.5}
    answer = posted(client, PATH, **body, format="json").json()
    manifest, _ = unzipped(posted(client, PATH, **body, format="zip").content)
    assert answer["model"] == manifest["model"] == "small"
    assert len(answer["digest"]) == 64
    told = {"seed": 3, "class": {"7": 1.0}, "styles": {"slant": 0.5, "width": 2.0}, "truncation": 0.5}
    for index in range(2):
        drawn, listed = answer["images"][index], manifest["images"][index]
        assert {k: v for k, v in drawn.items() if k != "png"} == told | {"index": index}
        assert listed == told | {"index": index, "file": f"000{index}.png"}


@pytest.mark.parametrize("kind", ["png", "sheet", "zip", "json"])
def test_a_scale_makes_every_pixel_a_square(client: TestClient, kind: str) -> None:
    def first(scale: int) -> Image.Image:
        content = posted(client, PATH, seed=1, format=kind, scale=scale).content
        if kind == "zip":
            content = unzipped(content)[1]["0000.png"]
        elif kind == "json":
            content = pngs(posted(client, PATH, seed=1, format=kind, scale=scale).json())[0]
        return Image.open(io.BytesIO(content))

    plain, large = first(1), first(7)
    assert large.size == (196, 196)
    assert large.info == plain.info
    assert np.array_equal(np.asarray(large), np.asarray(plain.resize((196, 196), Image.Resampling.NEAREST)))


def test_a_scale_that_cannot_be_is_refused_with_what_can(client: TestClient) -> None:
    assert refused(client, PATH, {"format": "npy", "scale": 2})[1] == "scale"
    posted(client, PATH, format="npy", scale=1)
    for scale in (0, 17, 1.5, "2"):
        assert refused(client, PATH, {"scale": scale})[:2] == (422, "scale")
    status, field, detail = refused(client, PATH, {"n": 50, "scale": 16})
    assert (status, field) == (422, "scale")
    assert "at most 7" in detail
    posted(client, PATH, n=50, scale=7)


def test_whatever_decides_the_bytes_has_a_part_in_the_etag(client: TestClient) -> None:
    noise = [0.5] * NOISE
    bodies: list[dict[str, Any]] = [
        {},
        {"scale": 2},
        {"truncation": 0.5},
        {"noise": noise},
        {"noise": noise, "truncation": 0.5},
        {"class": {"1": 1, "2": 1}},
        {"class": {"1": 1, "2": 2}},
        {"n": 2},
        {"n": 2, "truncation": 0.5},
        {"n": 2, "noise": noise},
        {"n": 2, "class": {"1": 1, "2": 1}},
        {"items": [{}, {"class": "1"}]},
        {"items": [{}, {"class": "2"}]},
        {"items": [{"seed": 1}, {"class": "no"}]},
        {"items": [{"class": "no"}, {"seed": 1}]},
        {"items": [{"seed": 1}, {"style": [9]}]},
    ]
    bodies = [body | {"seed": 1, "format": kind} for body in bodies for kind in FORMATS if kind != "sheet"]
    bodies = [body for body in bodies if body["format"] != "npy" or "scale" not in body]
    answers = [posted(client, PATH, **body) for body in bodies]
    by_etag = {answer.headers["etag"]: answer.content for answer in answers}
    assert len(by_etag) == len(bodies)
    for body in bodies:
        again = posted(client, PATH, **body)
        assert by_etag[again.headers["etag"]] == again.content


def test_an_image_by_url_takes_a_scale_and_a_truncation(client: TestClient) -> None:
    got = client.get("/v1/image?class=7&seed=1&scale=3&truncation=0.5")
    made = posted(client, PATH, seed=1, scale=3, truncation=0.5, **{"class": "7"})
    assert got.content == made.content
    assert got.headers["etag"] == made.headers["etag"]
    assert client.get("/v1/image?class=7&seed=1&scale=3").content != got.content
    for wrong in ("scale=0", "scale=17", "truncation=0", "truncation=1.1", "truncation=nan", "format=zip"):
        assert client.get(f"/v1/image?{wrong}").json()["field"] == wrong.split("=")[0]


def test_the_documentation_has_every_type_and_an_example_that_is_answered(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    answer = api["paths"][PATH]["post"]["responses"]["200"]
    assert set(answer["content"]) == {"image/png", "application/zip", "application/json", "application/x-npy"}
    for example in api["components"]["schemas"]["ImagesRequest"]["examples"]:
        posted(client, PATH, **example)
