import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.conftest import CLASSES, NOISE
from tests.service.conftest import (
    MAX_IMAGES,
    check_full_queue_refuses,
    pixels,
    played_examples,
    pngs,
    posted,
    refused,
    unzipped,
)

PATH = "/v1/traversals"
IMAGES = "/v1/images"
ALL = {"class": "all"}
SLANT = {"style": "slant", "from": -1, "to": 1, "steps": 5}
WIDTH = {"style": 1, "steps": 3}
NOISY = np.linspace(-1, 1, NOISE).tolist()

GRIDS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (
        {"rows": {"class": ["3", 7]}, "columns": {"style": "width", "steps": 3}, "style": [0.5], "seed": 1, "index": 4},
        [
            {"class": name, "style": [0.5, width], "seed": 1, "index": 4}
            for name in ("3", "7")
            for width in (-0.5, 0.75, 2)
        ],
    ),
    (
        {"rows": SLANT | {"steps": 2}, "columns": WIDTH, "class": {"1": 1, "2": 1}, "seed": 1, "truncation": 0.5},
        [
            {"class": {"1": 1, "2": 1}, "style": [slant, width], "seed": 1, "truncation": 0.5}
            for slant in (-1, 1)
            for width in (-0.5, 0.75, 2)
        ],
    ),
    (
        {"rows": {"seed": [5, 6, 5]}, "columns": {"class": ["1", "2"]}, "index": 3},
        [{"seed": seed, "index": 3, "class": name} for seed in (5, 6, 5) for name in ("1", "2")],
    ),
    (
        {"columns": {"style": 0, "from": 0.5, "to": -0.5, "steps": 3}, "noise": NOISY, "seed": 2, "class": 4},
        [{"seed": 2, "class": 4, "noise": NOISY, "style": [slant]} for slant in (0.5, 0, -0.5)],
    ),
    ({"columns": {"seed": [1, 2]}}, [{"seed": 1}, {"seed": 2}]),
]


@pytest.mark.parametrize(("body", "tiles"), GRIDS, ids=[str(body)[:40] for body, _ in GRIDS])
def test_every_tile_is_the_image_that_its_codes_draw_alone(
    client: TestClient, body: dict[str, Any], tiles: list[dict[str, Any]]
) -> None:
    alone = [posted(client, IMAGES, **tile).content for tile in tiles]
    answer = posted(client, PATH, **body, format="json").json()
    assert pngs(answer) == alone
    assert [image["seed"] for image in answer["images"]] == [tile["seed"] for tile in tiles]
    manifest, files = unzipped(posted(client, PATH, **body, format="zip").content)
    assert list(files.values()) == alone
    assert len(alone) % manifest["columns"] == 0
    stack = np.load(io.BytesIO(posted(client, PATH, **body, format="npy").content))
    assert all(np.array_equal(tile[:, :, 0], pixels(png)) for tile, png in zip(stack, alone, strict=True))
    columns = manifest["columns"]
    sheet = posted(client, PATH, **body)
    assert sheet.headers["content-type"] == "image/png"
    whole = pixels(sheet.content)
    assert whole.shape == (len(alone) // columns * 28, columns * 28)
    for place, tile in enumerate(stack):
        row, column = divmod(place, columns)
        assert np.array_equal(whole[row * 28 :, column * 28 :][:28, :28], tile[:, :, 0])


def test_the_noise_is_the_same_in_all_tiles_where_no_axis_is_of_seeds(client: TestClient) -> None:
    answer = posted(client, PATH, rows=ALL, columns=SLANT, format="json")
    images = answer.json()["images"]
    assert len(images) == 50
    assert {(image["seed"], image["index"]) for image in images} == {(int(answer.headers["faussaire-seed"]), 0)}
    assert len({image["styles"]["width"] for image in images}) == 1
    assert [next(iter(image["class"])) for image in images[::5]] == list(CLASSES)
    assert [image["styles"]["slant"] for image in images[:5]] == [-1, -0.5, 0, 0.5, 1]


def test_a_style_axis_goes_over_the_codes_range_when_not_told_otherwise(client: TestClient) -> None:
    images = posted(client, PATH, columns={"style": "width"}, format="json").json()["images"]
    widths = [image["styles"]["width"] for image in images]
    assert len(widths) == 11
    assert (widths[0], widths[-1]) == (-0.5, 2)


@pytest.mark.parametrize("kind", ["apng", "webp", "gif"])
def test_one_axis_alone_can_be_played(client: TestClient, kind: str) -> None:
    body: dict[str, Any] = {"columns": SLANT, "seed": 1, "class": "7", "format": kind, "fps": 20, "scale": 2}
    answer = posted(client, PATH, **body)
    assert answer.headers["content-type"] == f"image/{kind}"
    stack = np.load(io.BytesIO(posted(client, PATH, columns=SLANT, seed=1, format="npy", **{"class": "7"}).content))
    there = [tile[:, :, 0].repeat(2, 0).repeat(2, 1) for tile in stack]
    back = posted(client, PATH, **body, loop=True)
    for content, frames in ((answer.content, there), (back.content, there + there[-2:0:-1])):
        with Image.open(io.BytesIO(content)) as film:
            assert film.n_frames == len(frames)  # type: ignore[attr-defined]
            for place, frame in enumerate(frames):
                film.seek(place)
                assert np.array_equal(np.asarray(film.convert("L")), frame)
    assert back.headers["etag"] != answer.headers["etag"]


def test_an_animation_can_be_asked_for_by_accept_where_there_is_one_axis(client: TestClient) -> None:
    body: dict[str, Any] = {"columns": SLANT, "seed": 1}
    gif = client.post(PATH, json=body, headers={"Accept": "image/gif"})
    assert gif.content == posted(client, PATH, **body, format="gif").content
    status, field, detail = refused(client, PATH, body | {"rows": ALL}, Accept="image/gif")
    assert (status, field) == (406, "Accept")
    assert "image/gif" not in detail


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "columns", "required"),
    ({"columns": None}, "columns", "required"),
    ({"columns": 1}, "columns", "one of 'class', 'style' and 'seed'"),
    ({"columns": {}}, "columns", "one of 'class', 'style' and 'seed'"),
    ({"columns": {"steps": 3}}, "columns", "one of 'class', 'style' and 'seed'"),
    ({"columns": {"class": ["11"]}}, "columns.class", "Choose one of"),
    ({"columns": {"class": "some"}}, "columns.class", "'all'"),
    ({"columns": {"class": []}}, "columns.class", "at least 1"),
    ({"columns": {"class": [1.5]}}, "columns.class.0", "valid"),
    ({"columns": {"class": "all", "seed": [1]}}, "columns.seed", "no such field"),
    ({"columns": {"class": "all", "steps": 3}}, "columns.steps", "no such field"),
    ({"columns": {"style": "colour"}}, "columns.style", "slant, width"),
    ({"columns": {"style": 2}}, "columns.style", "slant, width"),
    ({"columns": SLANT | {"from": -2}}, "columns.from", "from -1 to 1"),
    ({"columns": SLANT | {"to": 1.5}}, "columns.to", "from -1 to 1"),
    ({"columns": SLANT | {"steps": 1}}, "columns.steps", "greater than or equal to 2"),
    ({"columns": SLANT | {"steps": 65}}, "columns.steps", "less than or equal to 64"),
    ({"columns": {"seed": []}}, "columns.seed", "at least 1"),
    ({"columns": {"seed": [-1]}}, "columns.seed.0", "greater than or equal to 0"),
    ({"columns": SLANT, "rows": {"class": ["x"]}}, "rows.class", "Choose one of"),
    ({"columns": SLANT, "rows": {"style": "x"}}, "rows.style", "slant, width"),
    ({"columns": ALL, "rows": ALL}, "rows", "both move class"),
    ({"columns": SLANT, "rows": {"style": 0}}, "rows", "both move style 'slant'"),
    ({"columns": {"seed": [1]}, "rows": {"seed": [2]}}, "rows", "both move seed"),
    ({"columns": ALL, "class": "7"}, "class", "Leave 'class' out"),
    ({"columns": {"seed": [1]}, "seed": 1}, "seed", "Leave 'seed' out"),
    ({"columns": {"seed": [1]}, "noise": NOISY}, "noise", "Leave 'noise' out"),
    ({"columns": SLANT, "style": [0.5]}, "style", "Leave 'slant' out"),
    ({"columns": SLANT, "style": {"slant": 0.5}}, "style", "Leave 'slant' out"),
    ({"columns": SLANT, "style": {"width": 9}}, "style.width", "from -0.5 to 2"),
    ({"columns": SLANT, "class": "eleven"}, "class", "Choose one of"),
    ({"columns": SLANT, "noise": [1]}, "noise", "62 numbers"),
    ({"columns": SLANT, "fps": 10}, "fps", "apng, webp, gif"),
    ({"columns": SLANT, "loop": True, "format": "zip"}, "loop", "apng, webp, gif"),
    ({"columns": SLANT, "format": "gif", "fps": 51}, "fps", "less than or equal to 50"),
    ({"columns": SLANT, "rows": ALL, "format": "gif"}, "format", "Leave 'rows' out"),
    ({"columns": SLANT, "format": "npy", "scale": 2}, "scale", "Leave 'scale' out"),
    ({"columns": SLANT, "format": "png"}, "format", "'sheet'"),
    ({"columns": SLANT | {"steps": 11}, "rows": ALL}, "rows", f"at most {MAX_IMAGES} images"),
    ({"columns": {"seed": list(range(MAX_IMAGES + 1))}}, "columns", f"at most {MAX_IMAGES} images"),
    ({"columns": SLANT, "rows": {"style": "width", "steps": 20}, "scale": 6}, "scale", "at most 5"),
    ({"columns": SLANT, "n": 2}, "n", "no such field"),
]


@pytest.mark.parametrize(("body", "field", "remedy"), WRONG, ids=[str(body)[:60] for body, _, _ in WRONG])
def test_what_cannot_be_traversed_is_refused_by_its_field_with_the_remedy(
    client: TestClient, body: dict[str, Any], field: str, remedy: str
) -> None:
    status, named, detail = refused(client, PATH, body)
    assert (status, named) == (422, field)
    assert remedy in detail


def test_a_model_without_codes_can_be_traversed_by_seeds_alone(client: TestClient) -> None:
    posted(client, PATH, model="plain", columns={"seed": [1, 2]})
    assert refused(client, PATH, {"model": "plain", "columns": ALL})[1] == "columns.class"
    assert refused(client, PATH, {"model": "plain", "columns": SLANT})[1] == "columns.style"
    assert refused(client, PATH, {"model": "gpt", "columns": SLANT})[:2] == (404, "model")


def test_whatever_decides_a_traversal_has_a_part_in_its_etag(client: TestClient) -> None:
    bodies: list[dict[str, Any]] = [
        {"columns": WIDTH, "rows": {"class": ["1", "2"]}},
        {"columns": WIDTH, "rows": {"class": ["2", "1"]}},
        {"columns": {"class": ["1", "2"]}, "rows": WIDTH},
        {"columns": WIDTH, "rows": {"class": ["1", "2"]}, "scale": 2},
        {"columns": WIDTH, "rows": {"class": ["1", "2"]}, "truncation": 0.5},
        {"columns": {"class": ["1"] * 2}, "rows": {"style": 0, "from": 0, "to": 0, "steps": 3}},
        {"columns": {"class": ["1"] * 3}, "rows": {"style": 0, "from": 0, "to": 0, "steps": 2}},
        {"columns": WIDTH, "format": "gif"},
        {"columns": WIDTH, "format": "gif", "fps": 13},
        {"columns": WIDTH, "format": "webp"},
        {"columns": WIDTH, "format": "gif", "loop": True},
    ]
    answers = [posted(client, PATH, **body, seed=1) for body in bodies]
    assert len({answer.headers["etag"] for answer in answers}) == len(bodies)
    for body, answer in zip(bodies, answers, strict=True):
        again = posted(client, PATH, **body, seed=1)
        assert (again.headers["etag"], again.content) == (answer.headers["etag"], answer.content)


def test_a_full_queue_refuses_a_traversal_too(models_dir: Path) -> None:
    check_full_queue_refuses(models_dir, PATH, {"columns": SLANT})


def test_the_documentation_has_examples_that_are_answered(client: TestClient) -> None:
    for example in played_examples(client, PATH, "TraversalRequest"):
        fitting = {"rows": {"class": ["3", "8"]}} if example.get("rows") == ALL else {}
        posted(client, PATH, **example | fitting)
