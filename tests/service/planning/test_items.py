import io
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.conftest import NOISE
from tests.service.conftest import MAX_IMAGES, pixels, pngs, posted, refused, unzipped

PATH = "/v1/images"
NOISY = np.linspace(-1, 1, NOISE).tolist()

ITEMS: list[dict[str, Any]] = [
    {"class": "7", "style": [0.5, 1.5], "seed": 1, "index": 3},
    {"class": {"3": 1, "8": 3}, "seed": 2},
    {"seed": 2**63 - 1, "index": 2**62 - 1},
    {"noise": NOISY, "class": 4, "seed": 9},
    {"truncation": 0.3, "seed": 5, "style": {"width": 2}},
    {"noise": NOISY, "truncation": 0.7, "seed": 5},
]

WRONG: list[tuple[Any, str, str]] = [
    ({"class": "eleven"}, ".class", "Choose one of"),
    ({"class": {"eleven": 1}}, ".class", "Choose one of"),
    ({"class": {"1": -1}}, ".class.1", "greater than or equal to 0"),
    ({"class": {"1": 0}}, ".class", "above 0"),
    ({"class": 1.5}, ".class", "valid"),
    ({"style": [3]}, ".style.0", "from -1 to 1"),
    ({"style": {"colour": 1}}, ".style", "slant, width"),
    ({"noise": [0.5]}, ".noise", "62 numbers"),
    ({"noise": [2.0] * NOISE}, ".noise.0", "from -1 to 1"),
    ({"noise": "loud"}, ".noise", "valid list"),
    ({"truncation": 0}, ".truncation", "greater than 0"),
    ({"seed": -1}, ".seed", "greater than or equal to 0"),
    ({"index": "1"}, ".index", "valid integer"),
    ({"colour": 1}, ".colour", "no such field"),
    (7, "", "JSON object"),
    (None, "", "JSON object"),
]


@pytest.mark.parametrize("item", ITEMS, ids=[str(item)[:40] for item in ITEMS])
def test_an_item_is_the_same_bytes_alone_and_at_any_place_among_others(
    client: TestClient, item: dict[str, Any]
) -> None:
    alone = posted(client, PATH, **item).content
    assert posted(client, PATH, items=[item]).content == alone
    others = [other for other in ITEMS if other is not item] * 4
    for place in (0, 1, 15, 16, len(others)):
        among = [*others[:place], item, *others[place:]]
        _, files = unzipped(posted(client, PATH, items=among, seed=77, format="zip").content)
        assert files[f"{place:04d}.png"] == alone
        assert pngs(posted(client, PATH, items=among, seed=78, format="json").json())[place] == alone


@pytest.mark.parametrize("kind", ["sheet", "zip", "json", "npy"])
def test_items_with_seeds_of_their_own_are_the_same_bytes_each_time(client: TestClient, kind: str) -> None:
    first, second = (posted(client, PATH, items=ITEMS, format=kind) for _ in range(2))
    assert first.headers["faussaire-seed"] != second.headers["faussaire-seed"]  # which the server chose
    assert (first.headers["etag"], first.content) == (second.headers["etag"], second.content)


def test_an_item_is_the_image_of_its_url(client: TestClient) -> None:
    item = {"class": "7", "style": [0.5, -0.5], "seed": 1, "index": 3, "truncation": 0.5}
    got = client.get("/v1/image?class=7&style=0.5,-0.5&seed=1&index=3&truncation=0.5")
    assert pngs(posted(client, PATH, items=[{}, item], format="json").json())[1] == got.content


def test_the_codes_that_an_item_tells_draw_it_again_byte_for_byte(client: TestClient) -> None:
    for content in pngs(posted(client, PATH, items=ITEMS, format="json").json()):
        codes = client.post("/v1/codes", content=content).json()
        assert codes["source"] == "metadata"
        asked = {name: codes[name] for name in ("seed", "index", "truncation", "noise") if name in codes}
        blend = {name: weight for name, weight in codes["classes"].items() if weight}
        again = posted(client, PATH, **asked, style=codes["styles"], **{"class": blend})
        assert again.content == content


def test_noise_that_was_given_is_told_to_the_bit(client: TestClient) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, NOISE).astype(np.float32)
    content = posted(client, PATH, noise=noise.tolist(), truncation=0.3, seed=1).content
    codes = client.post("/v1/codes", content=content).json()
    assert (
        np.array(codes["noise"], np.float32).tobytes() == (noise.astype(np.float64) * 0.3).astype(np.float32).tobytes()
    )
    assert "truncation" not in codes


def test_an_item_without_a_seed_has_the_requests_and_its_place_as_its_index(client: TestClient) -> None:
    items: list[dict[str, Any]] = [{}, {"class": "1"}, {"index": 50}, {"seed": 8}, {}]
    answer = posted(client, PATH, items=items, seed=4, index=10, truncation=0.5, format="json")
    told = [(image["seed"], image["index"]) for image in answer.json()["images"]]
    assert told == [(4, 10), (4, 11), (4, 50), (8, 0), (4, 14)]
    assert {image["truncation"] for image in answer.json()["images"]} == {0.5}
    assert (answer.headers["faussaire-seed"], answer.headers["faussaire-index"]) == ("4", "10")
    for image, content in zip(answer.json()["images"], pngs(answer.json()), strict=True):
        asked = {"seed": image["seed"], "index": image["index"], "class": image["class"], "truncation": 0.5}
        assert posted(client, PATH, **asked).content == content


@pytest.mark.parametrize(("wrong", "path", "remedy"), WRONG, ids=[str(item)[:40] for item, _, _ in WRONG])
def test_one_bad_item_fails_alone_and_says_what_was_wrong(
    client: TestClient, wrong: Any, path: str, remedy: str
) -> None:
    items = [{"seed": 1}, wrong, {"seed": 2}]
    response = posted(client, PATH, items=items, seed=3, format="json")
    assert response.headers["faussaire-failed"] == "1"
    problem = response.json()["images"][1]["problem"]
    assert problem["field"] == f"items.1{path}"
    assert remedy in problem["detail"]
    assert problem["type"].startswith("urn:faussaire:problem:")
    assert problem["status"] == 422
    assert problem["title"]
    alone = [posted(client, PATH, seed=seed).content for seed in (1, 2)]
    assert pngs(response.json()) == alone
    manifest, files = unzipped(posted(client, PATH, items=items, seed=3, format="zip").content)
    assert manifest["images"][1] == {"problem": problem}
    assert files == {"0000.png": alone[0], "0002.png": alone[1]}
    status, field, detail = refused(client, PATH, {"items": [wrong]})
    assert (status, field) == (422, f"items.0{path}")
    assert remedy in detail


def test_the_tile_of_an_item_that_failed_is_black_and_every_answer_names_it(client: TestClient) -> None:
    items: list[Any] = [{"class": 11}, {"seed": 1}, {"seed": 2}, {"style": [9]}, {"seed": 3}]
    stack = np.load(io.BytesIO(posted(client, PATH, items=items, format="npy").content))
    assert [bool(tile.any()) for tile in stack] == [False, True, True, False, True]
    sheet = pixels(posted(client, PATH, items=items, scale=2).content)
    assert sheet.shape == (2 * 56, 3 * 56)
    assert not sheet[:56, :56].any()
    assert np.array_equal(sheet[:56:2, 56:112:2], stack[1, :, :, 0])
    for kind in ("png", "sheet", "zip", "json", "npy"):
        assert posted(client, PATH, items=items, format=kind).headers["faussaire-failed"] == "0,3"
    assert "faussaire-failed" not in posted(client, PATH, items=items[1:3]).headers


def test_a_request_of_bad_items_alone_is_refused(client: TestClient) -> None:
    response = client.post(PATH, json={"items": [{"class": 11}, 3]})
    assert response.status_code == 422
    problem = response.json()
    assert problem["type"] == "urn:faussaire:problem:every-item-failed"
    assert problem["field"] == "items.0.class"
    assert response.headers["faussaire-failed"] == "0,1"


@pytest.mark.parametrize("field", ["n", "class", "style", "noise"])
def test_what_an_item_has_of_its_own_is_not_said_beside_the_items(client: TestClient, field: str) -> None:
    beside = {"n": 2, "class": "7", "style": [0.5], "noise": NOISY}[field]
    status, named, detail = refused(client, PATH, {"items": [{}], field: beside})
    assert (status, named) == (422, field)
    assert "Leave" in detail


def test_there_are_as_many_items_as_one_request_may_have(client: TestClient) -> None:
    posted(client, PATH, items=[{}] * MAX_IMAGES)
    status, field, detail = refused(client, PATH, {"items": [{}] * (MAX_IMAGES + 1)})
    assert (status, field) == (422, "items")
    assert f"at most {MAX_IMAGES}" in detail
    assert refused(client, PATH, {"items": []})[:2] == (422, "items")
    assert refused(client, PATH, {"items": {}})[:2] == (422, "items")


def test_all_items_are_drawn_as_one_submission(client: TestClient, inferences: list[int]) -> None:
    posted(client, PATH, items=[*ITEMS, {"class": "no"}])
    assert inferences == [len(ITEMS)]


def test_a_sheet_of_items_is_refused_on_the_way_back_with_how_to_have_its_images(client: TestClient) -> None:
    sheet = posted(client, PATH, items=ITEMS).content
    problem = client.post("/v1/codes", content=sheet).json()
    assert problem["type"].endswith("sheet-of-images")
    assert "zip or json" in problem["detail"]
    assert "{" not in problem["detail"]
