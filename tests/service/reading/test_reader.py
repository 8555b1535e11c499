import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import Response
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.testclient import TestClient

from latent import draw_classes, draw_styles
from latent.origin import LONGEST
from service.inference.generator import Generator
from service.inference.recogniser import Recogniser
from service.reading.framing import frame
from service.reading.reader import ImageCodes
from service.settings import Settings
from tests.service.test_forgeries import record_behind_pixels

MAX_PIXELS = 100_000


@pytest.fixture(scope="module")
def settings(models_dir: Path) -> Settings:
    return Settings(models_dir=models_dir, default_model="small", max_pixels=MAX_PIXELS, max_upload_bytes=1_200_000)


def draw(client: TestClient, **body: Any) -> bytes:
    response = client.post("/v1/images", json=body)
    assert response.status_code == 200, response.text
    return bytes(response.content)


def read(client: TestClient, content: bytes, **query: str) -> dict[str, Any]:
    response = client.post("/v1/codes", content=content, params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refused(client: TestClient, content: bytes, **query: str) -> tuple[int, str, str]:
    """Status, slug and detail."""
    response = client.post("/v1/codes", content=content, params=query)
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    return response.status_code, problem["type"].removeprefix("urn:faussaire:problem:"), problem["detail"]


def encoded(pixels: NDArray[np.uint8], kind: str = "PNG", **told: str) -> bytes:
    info = PngInfo()
    for keyword, text in told.items():
        info.add_text(keyword, text)
    buffer = io.BytesIO()
    options: dict[str, Any] = {"pnginfo": info} if kind == "PNG" else {}
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def told(content: bytes) -> dict[str, Any]:
    with Image.open(io.BytesIO(content)) as picture:
        origin: dict[str, Any] = json.loads(picture.info["faussaire"])
    return origin


def drawing() -> NDArray[np.uint8]:
    """A bright stroke, off the middle of a dark page."""
    page = np.zeros((60, 60), np.uint8)
    page[10:50, 20:26] = 255
    page[44:50, 20:50] = 200
    return page


def test_an_image_of_ours_gives_exactly_the_codes_that_it_was_drawn_from(client: TestClient, models_dir: Path) -> None:
    generator = Generator(models_dir / "small.onnx", threads=1)
    for index in range(20):
        answer = read(client, draw(client, seed=5, index=index))
        assert answer["source"] == "metadata"
        assert (answer["model"], answer["digest"]) == ("small", generator.version.digest)
        assert (answer["seed"], answer["index"]) == (5, index)
        assert answer["class"] == str(draw_classes(generator.version.card.space, 5, index, 1)[0])
        assert answer["classes"] == {str(k): float(str(k) == answer["class"]) for k in range(10)}
        styles = np.array(list(answer["styles"].values()), np.float32)
        assert np.array_equal(styles, draw_styles(generator.version.card.space, 5, index, 1)[0])


def test_the_codes_of_an_image_draw_it_again_byte_for_byte(client: TestClient) -> None:
    for index in range(20):
        content = draw(client, seed=6, index=index)
        answer = read(client, content)
        asked = {"model": answer["model"], "class": answer["class"], "style": answer["styles"]}
        assert draw(client, **asked, seed=answer["seed"], index=answer["index"]) == content


def test_a_style_code_is_told_as_it_was_asked_for(client: TestClient) -> None:
    answer = read(client, draw(client, seed=1, style={"slant": 0.3, "width": 2}))
    assert answer["styles"] == {"slant": 0.3, "width": 2.0}


def test_an_image_of_a_model_without_codes_or_recogniser_still_tells_its_seed(client: TestClient) -> None:
    answer = read(client, draw(client, model="plain", seed=2**63 - 1), model="plain")
    assert answer["seed"] == 2**63 - 1
    assert answer["classes"] == answer["styles"] == {}
    assert "class" not in answer


def test_an_image_tells_its_model_where_the_request_names_none(client: TestClient) -> None:
    assert read(client, draw(client, model="plain", seed=1))["model"] == "plain"


def test_an_image_of_another_model_is_recognised_by_the_one_that_is_named(client: TestClient) -> None:
    assert read(client, draw(client, model="plain", seed=1), model="small")["source"] == "recogniser"


def test_the_answer_shows_the_picture_as_the_recogniser_saw_it(client: TestClient) -> None:
    answer = read(client, encoded(np.rot90(drawing()).copy()))
    framed = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["framed"]))))
    assert framed.shape == (28, 28)
    again = read(client, encoded(framed))
    assert again == answer
    assert "framed" not in read(client, draw(client, seed=1))


def test_the_recogniser_reads_any_other_image_once_it_is_laid_out(client: TestClient, models_dir: Path) -> None:
    generator = Generator(models_dir / "small.onnx", threads=1)
    recogniser = Recogniser(models_dir / "small.recogniser.onnx", generator, threads=1)
    expected = recogniser.recognise(frame(Image.fromarray(drawing()), recogniser.card).pixels)
    answer = read(client, encoded(drawing()))
    assert answer["source"] == "recogniser"
    assert "seed" not in answer
    assert "index" not in answer
    assert np.array_equal(np.array(list(answer["classes"].values()), np.float32), expected.classes)
    assert np.array_equal(np.array(list(answer["styles"].values()), np.float32), expected.styles)
    assert answer["class"] == str(expected.classes.argmax())
    assert list(answer["classes"]) == [str(k) for k in range(10)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_each_kind_of_file_is_read(client: TestClient, kind: str) -> None:
    assert read(client, encoded(drawing(), kind))["source"] == "recogniser"


def forged(client: TestClient, **changes: Any) -> bytes:
    """A drawing that says that it is an image of ours."""
    origin = told(draw(client, seed=1)) | changes
    return encoded(drawing(), faussaire=json.dumps({k: v for k, v in origin.items() if v is not None}))


UNTRUE: list[dict[str, Any]] = [
    {"digest": "0" * 64},
    {"class": {"eleven": 1.0}},
    {"class": {"1": 0.4}},
    {"class": {"1": 2.0, "2": -1.0}},
    {"class": {}},
    {"class": {"1": "1"}},
    {"class": 7},
    {"styles": {"slant": 0.5}},
    {"styles": {"slant": 0.5, "width": 3.0}},
    {"styles": {"slant": 0.5, "width": 0.5, "colour": 0.5}},
    {"seed": -1},
    {"seed": 2**63},
    {"seed": "1"},
    {"seed": True},
    {"index": 1.5},
    {"index": 2**62},
    {"truncation": 0.0},
    {"truncation": 1.5},
    {"noise": [0.5]},
    {"noise": [2.0] * 62},
    {"noise": "loud"},
    {"model": None},
    {"model": "m" * 101},
    {"more": 1},
]


@pytest.mark.parametrize("changes", UNTRUE, ids=[json.dumps(change)[:40] for change in UNTRUE])
def test_what_a_file_says_of_itself_is_passed_over_where_it_cannot_be(
    client: TestClient, changes: dict[str, Any]
) -> None:
    assert read(client, forged(client))["source"] == "metadata"
    assert read(client, forged(client, **changes)) == read(client, encoded(drawing()))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 10_000, '{"seed": NaN}', '"\\ud800"', "1" * 20_000, "é"])
def test_a_chunk_that_is_no_origin_is_passed_over(client: TestClient, text: str) -> None:
    assert read(client, encoded(drawing(), faussaire=text)) == read(client, encoded(drawing()))


def test_a_record_behind_the_pixels_is_read(client: TestClient) -> None:
    content = draw(client, seed=5)
    assert read(client, record_behind_pixels(content)) == read(client, content)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", ["tEXt", "iTXt"])
@pytest.mark.parametrize("n", [1, 4])
def test_a_record_is_found_however_another_tool_writes_it(client: TestClient, kind: str, zipped: bool, n: int) -> None:
    content = draw(client, seed=5, n=n)
    expected = client.post("/v1/codes", content=content).json()
    info, buffer = PngInfo(), io.BytesIO()
    add = info.add_text if kind == "tEXt" else info.add_itxt
    add("Software", "another", zip=zipped)
    add("faussaire", json.dumps(told(content)), zip=zipped)
    Image.open(io.BytesIO(content)).save(buffer, "PNG", pnginfo=info)
    again = buffer.getvalue()
    bare = again.replace(b"Software", b"software")  # the checksum of that chunk is now wrong
    for file in (
        again,
        record_behind_pixels(encoded(np.asarray(Image.open(io.BytesIO(content))), faussaire=json.dumps(told(content)))),
        bare,
    ):
        assert client.post("/v1/codes", content=file).json() == expected
        assert client.post("/v1/verify", content=file).json()["verified"]


def test_a_chunk_of_much_text_is_not_looked_at(client: TestClient) -> None:
    origin = json.dumps(told(draw(client, seed=1)))
    assert read(client, encoded(drawing(), faussaire=origin + " " * 1_000))["source"] == "metadata"
    assert read(client, encoded(drawing(), faussaire=origin + " " * LONGEST))["source"] == "recogniser"


def test_a_record_kept_with_a_part_or_with_more_is_passed_over(client: TestClient) -> None:
    image, sheet = draw(client, seed=1), draw(client, seed=1, n=4)
    pixels, tiles = (np.asarray(Image.open(io.BytesIO(content))) for content in (image, sheet))
    of_image, of_sheet = (json.dumps(told(content)) for content in (image, sheet))
    assert read(client, encoded(np.kron(pixels, np.ones((3, 3), np.uint8)), faussaire=of_image))["source"] == "metadata"
    for other, record in (
        (tiles[:28, :28], of_sheet),
        (pixels[:, 2:], of_image),
        (np.hstack([pixels, np.zeros_like(pixels)]), of_image),
    ):
        answers = [client.post("/v1/codes", content=encoded(other, **told)) for told in ({"faussaire": record}, {})]
        assert answers[0].json() == answers[1].json()


def test_a_sheet_is_refused_with_the_requests_that_draw_its_tiles(client: TestClient) -> None:
    sheet = draw(client, seed=3, index=5, n=4, style={"width": 0.1}, **{"class": 7})
    status, slug, detail = refused(client, sheet)
    assert (status, slug) == (422, "sheet-of-images")
    request = json.loads(detail[detail.index("{") : detail.rindex("}") + 1])
    model = client.get("/v1/models/small").json()
    assert request == {
        "model": f"small@{model['digest'][:12]}",
        "class": "7",
        "style": {"width": 0.1},
        "seed": 3,
        "index": 5,
    }
    whole = np.asarray(Image.open(io.BytesIO(sheet)))
    for offset in range(4):
        tile = draw(client, **request | {"index": 5 + offset})
        row, column = divmod(offset, 2)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(tile))), whole[row * 28 :, column * 28 :][:28, :28])
    assert "'index' up to 8" in detail


def test_a_sheet_tells_the_request_that_draws_it_again(client: TestClient) -> None:
    bodies: list[dict[str, Any]] = [
        {"seed": 3, "n": 4},
        {"seed": 3, "n": 4, "class": "7", "style": [0.3]},
        {"seed": 3, "n": 4, "class": {"7": 1, "8": 2}, "truncation": 0.3},
        {"seed": 3, "n": 4, "noise": [0.3] * 62},
        {"model": "plain", "n": 2},
    ]
    for body in bodies:
        sheet = draw(client, **body)
        origin = told(sheet)
        assert origin.keys() == {"model", "digest", "seed", "index", "n"} | (
            body.keys() & {"class", "style", "truncation", "noise"}
        )
        del origin["digest"]
        assert draw(client, **origin) == sheet


def test_a_sheet_of_a_blend_and_of_given_noise_is_refused_with_the_request_of_its_first_tile(
    client: TestClient,
) -> None:
    for body in ({"class": {"7": 1, "8": 2}, "truncation": 0.3}, {"class": 3, "noise": [0.3] * 62}):
        detail = refused(client, draw(client, seed=3, n=4, **body))[2]
        request = json.loads(detail[detail.index("{") : detail.rindex("}") + 1])
        assert draw(client, **request) == draw(client, seed=3, **body)


FORGED: list[dict[str, Any]] = [
    {"class": "<script>"},
    {"class": {"<script>": 1}},
    {"style": {"<script>": 1}},
    {"noise": [0.25] * 60},
    {"noise": [1.25] * 62},
]


@pytest.mark.parametrize("changes", FORGED, ids=[str(changes)[:30] for changes in FORGED])
def test_a_forged_sheet_is_not_echoed(client: TestClient, changes: dict[str, Any]) -> None:
    origin = told(draw(client, seed=1, n=4)) | changes
    status, slug, detail = refused(client, encoded(drawing(), faussaire=json.dumps(origin)))
    assert (status, slug) == (422, "sheet-of-images")
    assert "script" not in detail
    assert "noise" not in detail


def test_a_model_without_recogniser_is_refused_with_those_that_have_one(client: TestClient) -> None:
    status, slug, detail = refused(client, encoded(drawing()), model="plain")
    assert (status, slug) == (422, "no-recogniser")
    assert "Models with a recogniser: small." in detail
    other = draw(client, model="small", seed=1)
    assert "not of this version" in refused(client, other, model="plain")[2]


@pytest.mark.parametrize("content", [b"", b"hello", b"P6 2 2 255 " + b"0" * 12, b"<svg/>"])
def test_what_is_no_image_is_415_with_what_is_accepted(client: TestClient, content: bytes) -> None:
    status, slug, detail = refused(client, content)
    assert (status, slug) == (415, "not-an-image")
    assert "PNG, JPEG, WebP, GIF or BMP" in detail


def test_an_image_that_breaks_off_is_refused(client: TestClient) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8)
    assert refused(client, encoded(noise)[:1000])[:2] == (422, "broken-image")


def test_too_many_pixels_are_refused_by_what_the_file_declares(client: TestClient) -> None:
    content = bytearray(encoded(drawing()))
    for side in (400, 10_000, 15_000, 2**31 - 1):  # from ours to those at which Pillow itself warns and refuses
        content[16:24] = side.to_bytes(4) * 2
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
        status, slug, detail = refused(client, bytes(content))
        assert (status, slug) == (422, "too-many-pixels")
        assert str(MAX_PIXELS) in detail


def test_a_blank_image_is_refused(client: TestClient) -> None:
    assert refused(client, encoded(np.full((50, 50), 200, np.uint8)))[:2] == (422, "blank-image")


def test_a_file_has_a_limit_of_its_own(client: TestClient) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8)
    assert len(encoded(noise)) > 65_536
    assert refused(client, encoded(noise))[:2] == (422, "unclear-image")
    status, slug, detail = refused(client, b" " * 1_200_001)
    assert (status, slug) == (413, "body-too-large")
    assert "200000 bytes" in detail


def test_an_unknown_model_and_an_unknown_parameter_are_named(client: TestClient) -> None:
    assert refused(client, encoded(drawing()), model="gpt")[:2] == (404, "unknown-model")
    response: Response = client.post("/v1/codes?colour=red", content=encoded(drawing()))
    assert (response.status_code, response.json()["field"]) == (422, "colour")


def test_the_documentation_has_the_files_and_an_example(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    operation = api["paths"]["/v1/codes"]["post"]
    assert "image/png" in operation["requestBody"]["content"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    described = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    assert ImageCodes.model_validate(described["examples"][0]).seed == 1
