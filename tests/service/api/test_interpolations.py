import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.conftest import NOISE
from tests.service.conftest import check_full_queue_refuses, pixels, played_examples, pngs, posted, refused, unzipped

PATH = "/v1/interpolations"
IMAGES = "/v1/images"
NOISY = np.linspace(-1, 1, NOISE).tolist()
THREE: dict[str, Any] = {"class": "3", "seed": 1, "index": 2, "style": [0.5, 2]}
EIGHT: dict[str, Any] = {"class": "8", "seed": 2, "style": [-0.5]}

ENDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (THREE, EIGHT),
    (THREE | {"truncation": 0.5}, EIGHT | {"noise": NOISY}),
    ({"class": {"1": 1, "2": 2, "3": 4}, "seed": 3}, {"seed": 2**63 - 1, "index": 7}),
    ({"noise": NOISY, "seed": 1}, {"noise": [-value for value in NOISY], "seed": 1, "truncation": 0.3}),
]


@pytest.mark.parametrize(("start", "end"), ENDS)
@pytest.mark.parametrize("frames", [2, 3, 24])
def test_the_first_and_the_last_frame_are_byte_for_byte_what_the_ends_draw_alone(
    client: TestClient, start: dict[str, Any], end: dict[str, Any], frames: int
) -> None:
    alone = [posted(client, IMAGES, **point).content for point in (start, end)]
    body: dict[str, Any] = {"from": start, "to": end, "frames": frames}
    listed = pngs(posted(client, PATH, **body, format="json").json())
    assert len(listed) == frames
    assert [listed[0], listed[-1]] == alone
    _, files = unzipped(posted(client, PATH, **body, format="zip").content)
    assert list(files.values()) == listed


@pytest.mark.parametrize(("start", "end"), [*ENDS, ({"class": "3", "seed": 1}, {"class": "8"})])
def test_every_frame_tells_codes_that_draw_it_again_byte_for_byte(
    client: TestClient, start: dict[str, Any], end: dict[str, Any]
) -> None:
    body: dict[str, Any] = {"from": start, "to": end, "frames": 7, "format": "json"}
    answer = posted(client, PATH, **body).json()
    for told, content in zip(answer["images"], pngs(answer), strict=True):
        named = {"styles": "style"}
        asked = {named.get(name, name): value for name, value in told.items() if name != "png"}
        assert posted(client, IMAGES, **asked).content == content
        assert client.post("/v1/codes", content=content).json()["source"] == "metadata"


def test_codes_go_straight(client: TestClient) -> None:
    images = posted(client, PATH, **{"from": THREE, "to": EIGHT}, frames=5, format="json").json()["images"]
    assert [image["class"].get("3", 0) for image in images] == [1, 0.75, 0.5, 0.25, 0]
    assert [image["class"].get("8", 0) for image in images] == [0, 0.25, 0.5, 0.75, 1]
    assert [image["styles"]["slant"] for image in images] == [0.5, 0.25, 0, -0.25, -0.5]


def test_an_end_without_a_seed_has_the_noise_of_the_other(client: TestClient) -> None:
    answer = posted(client, PATH, **{"from": {"class": "3", "index": 4}, "to": {"class": "8"}}, format="json")
    seed = int(answer.headers["faussaire-seed"])
    assert answer.headers["faussaire-index"] == "4"
    images = answer.json()["images"]
    assert len(images) == 24
    assert {(image["seed"], image["index"]) for image in images} == {(seed, 4)}
    assert not any("noise" in image for image in images)
    assert pngs(answer.json())[-1] == posted(client, IMAGES, seed=seed, index=4, **{"class": "8"}).content


@pytest.mark.parametrize("kind", ["apng", "webp", "gif"])
def test_an_animation_has_the_frames_there_and_where_asked_for_back(client: TestClient, kind: str) -> None:
    ends: dict[str, Any] = {"from": THREE, "to": EIGHT, "frames": 6}
    stack = np.load(io.BytesIO(posted(client, PATH, **ends, format="npy").content))[:, :, :, 0]
    for loop, order in ((False, [0, 1, 2, 3, 4, 5]), (True, [0, 1, 2, 3, 4, 5, 4, 3, 2, 1])):
        answer = posted(client, PATH, **ends, format=kind, loop=loop, fps=25)
        assert answer.headers["content-type"] == f"image/{kind}"
        with Image.open(io.BytesIO(answer.content)) as film:
            assert film.n_frames == len(order)  # type: ignore[attr-defined]
            for place, frame in enumerate(order):
                film.seek(place)
                assert np.array_equal(np.asarray(film.convert("L")), stack[frame])


def test_a_sheet_of_frames_has_them_row_by_row(client: TestClient) -> None:
    ends: dict[str, Any] = {"from": THREE, "to": EIGHT, "frames": 4}
    stack = np.load(io.BytesIO(posted(client, PATH, **ends, format="npy").content))[:, :, :, 0]
    sheet = posted(client, PATH, **ends, scale=3)
    assert sheet.headers["content-type"] == "image/png"
    whole = pixels(sheet.content)
    assert np.array_equal(whole[::3, ::3], stack.reshape(2, 2, 28, 28).transpose(0, 2, 1, 3).reshape(56, 56))
    assert client.post("/v1/codes", content=sheet.content).json()["type"].endswith("sheet-of-images")


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"to": {}}, "from", "required"),
    ({"from": {}}, "to", "required"),
    ({"from": 3, "to": {}}, "from", "valid dictionary"),
    ({"from": {"class": "eleven"}, "to": {}}, "from.class", "Choose one of"),
    ({"from": {}, "to": {"class": {"1": 0}}}, "to.class", "above 0"),
    ({"from": {}, "to": {"style": [3]}}, "to.style.0", "from -1 to 1"),
    ({"from": {"noise": [0]}, "to": {}}, "from.noise", "62 numbers"),
    ({"from": {}, "to": {"noise": [5] * NOISE}}, "to.noise.0", "from -1 to 1"),
    ({"from": {}, "to": {"truncation": 0}}, "to.truncation", "greater than 0"),
    ({"from": {"n": 2}, "to": {}}, "from.n", "no such field"),
    ({"from": {}, "to": {}, "frames": 1}, "frames", "greater than or equal to 2"),
    ({"from": {}, "to": {}, "frames": 241}, "frames", "less than or equal to 240"),
    ({"from": {}, "to": {}, "frames": 101}, "frames", "at most 100"),
    ({"from": {}, "to": {}, "fps": 13}, "fps", "apng, webp, gif"),
    ({"from": {}, "to": {}, "format": "gif", "fps": 0}, "fps", "greater than or equal to 1"),
    ({"from": {}, "to": {}, "loop": True}, "loop", "apng, webp, gif"),
    ({"from": {}, "to": {}, "format": "mp4"}, "format", "'apng'"),
    ({"from": {}, "to": {}, "format": "npy", "scale": 2}, "scale", "Leave 'scale' out"),
    ({"from": {}, "to": {}, "seed": 1}, "seed", "no such field"),
]


@pytest.mark.parametrize(("body", "field", "remedy"), WRONG, ids=[str(body)[:60] for body, _, _ in WRONG])
def test_what_cannot_be_interpolated_is_refused_by_its_field_with_the_remedy(
    client: TestClient, body: dict[str, Any], field: str, remedy: str
) -> None:
    status, named, detail = refused(client, PATH, body)
    assert (status, named) == (422, field)
    assert remedy in detail


def test_whatever_decides_an_interpolation_has_a_part_in_its_etag(client: TestClient) -> None:
    bodies: list[dict[str, Any]] = [
        {"from": THREE, "to": EIGHT},
        {"from": EIGHT, "to": THREE},
        {"from": THREE, "to": EIGHT, "frames": 25},
        {"from": THREE, "to": EIGHT | {"index": 1}},
        {"from": THREE, "to": EIGHT | {"truncation": 0.9}},
        {"from": THREE, "to": EIGHT, "scale": 2},
        {"from": THREE, "to": EIGHT, "format": "zip"},
        {"from": THREE, "to": EIGHT, "format": "webp"},
        {"from": THREE, "to": EIGHT, "format": "webp", "loop": True},
    ]
    answers = [posted(client, PATH, **body) for body in bodies]
    assert len({answer.headers["etag"] for answer in answers}) == len(bodies)
    for body, answer in zip(bodies, answers, strict=True):
        again = posted(client, PATH, **body)
        assert (again.headers["etag"], again.content) == (answer.headers["etag"], answer.content)


def test_a_model_without_codes_goes_from_noise_to_noise(client: TestClient) -> None:
    posted(client, PATH, model="plain", **{"from": {"seed": 1}, "to": {"seed": 2}})


def test_a_full_queue_refuses_an_interpolation_too(models_dir: Path) -> None:
    check_full_queue_refuses(models_dir, PATH, {"from": {}, "to": {}})


def test_the_documentation_has_examples_that_are_answered(client: TestClient) -> None:
    for example in played_examples(client, PATH, "InterpolationRequest"):
        posted(client, PATH, **example)
