"""What the service drew is verified, whatever lossless tools did to it; and no forgery of any kind is.

TEST_FORGERIES sets how many pictures of our own, and how many forgeries, are tried.
"""

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.testclient import TestClient

from latent.origin import KEYWORD
from service.app import create_app
from service.settings import ROOT, Settings

TRIED = int(os.environ.get("TEST_FORGERIES", "300"))
MODEL = "mnist-infogan"

Random = np.random.Generator
Make = Callable[[TestClient, Random], bytes]
Alter = Callable[[bytes, Random], bytes]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(models_dir=ROOT / "models", default_model=MODEL, watch_seconds=0))) as client:
        yield client


def post(client: TestClient, path: str, body: dict[str, Any]) -> bytes:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def verify(client: TestClient, content: bytes) -> dict[str, Any]:
    answer = client.post("/v1/verify", content=content)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def point(random: Random) -> dict[str, Any]:
    """Random codes: each kind drawn by the seed or given."""
    asked: dict[str, Any] = {"seed": int(random.integers(2**63)), "index": int(random.integers(2**61))}
    weights = {str(k): float(random.integers(1, 9)) for k in random.choice(10, 3, replace=False)}
    given = {
        "class": [str(random.integers(10)), weights][int(random.integers(2))],
        "style": [float(value) for value in random.uniform(-1, 1, 2)],
        "truncation": float(random.uniform(0.1, 1)),
        "noise": [float(value) for value in random.uniform(-1, 1, 62)],
    }
    return asked | {name: value for name, value in given.items() if random.random() < 0.4}


def model_of(random: Random) -> str:
    return str(random.choice([MODEL, "mnist-cgan", "fashion-cgan", "fashion-infogan"]))


def one(client: TestClient, random: Random) -> bytes:
    return post(client, "/v1/images", {"model": MODEL, "scale": int(random.integers(1, 5))} | point(random))


def of_any_model(client: TestClient, random: Random) -> bytes:
    return post(client, "/v1/images", {"model": model_of(random), "seed": int(random.integers(2**63))})


def row(client: TestClient, random: Random) -> bytes:
    size = {"n": int(random.integers(2, 12)), "scale": int(random.integers(1, 3))}
    return post(client, "/v1/images", {"model": MODEL} | size | point(random))


def items(client: TestClient, random: Random) -> bytes:
    asked: list[dict[str, Any]] = [point(random) for _ in range(random.integers(1, 7))]
    asked.insert(int(random.integers(len(asked) + 1)), {"class": "eleven"})
    return post(client, "/v1/images", {"model": MODEL, "items": asked, "seed": 1, "format": "sheet"})


def traversal(client: TestClient, random: Random) -> bytes:
    ways: list[dict[str, Any] | None] = [{"class": "all"}, {"seed": [1, int(random.integers(2**63))]}, None]
    rows = ways[int(random.integers(len(ways)))]
    columns = {"style": int(random.integers(2)), "steps": int(random.integers(2, 6))}
    seed = {} if rows is not None and "seed" in rows else {"seed": int(random.integers(2**63))}
    return post(client, "/v1/traversals", {"model": MODEL, "rows": rows, "columns": columns} | seed)


def interpolation(client: TestClient, random: Random) -> bytes:
    ends = {"from": point(random), "to": point(random), "frames": int(random.integers(2, 12))}
    return post(client, "/v1/interpolations", {"model": MODEL, "format": "sheet"} | ends)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def saved(picture: Image.Image, record: str, *, zipped: bool = False, international: bool = False) -> bytes:
    chunks, buffer = PngInfo(), io.BytesIO()
    if international:
        chunks.add_itxt(KEYWORD, record, zip=zipped)
    else:
        chunks.add_text(KEYWORD, record, zip=zipped)
    picture.save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def resaved(content: bytes, random: Random) -> bytes:
    """The same picture as another tool writes it, without loss."""
    picture = opened(content)
    modes = ["L", "RGB", "RGBA", "LA", "P", "16 bits", "8 of 16 bits"]
    mode = modes[int(random.integers(len(modes)))]
    if mode == "16 bits":
        written = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    elif mode == "8 of 16 bits":
        written = Image.fromarray(np.asarray(picture).astype(np.uint16))
    elif mode == "P":
        written = picture.convert("RGB").quantize(256)
        if not np.array_equal(np.asarray(written.convert("L")), np.asarray(picture)):
            written = picture
    else:
        written = picture.convert(mode)
    zipped, international, behind = (bool(chosen) for chosen in random.random(3) < 0.5)
    again = saved(written, picture.info[KEYWORD], zipped=zipped, international=international)
    return record_behind_pixels(again) if behind else again


def record_behind_pixels(content: bytes) -> bytes:
    """The same file with the text chunk behind the pixels, where ImageMagick writes it."""
    chunks, start = [], 8
    while start < len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        chunks.append(content[start:end])
        start = end
    texts = [chunk for chunk in chunks if chunk[4:8] in (b"tEXt", b"zTXt", b"iTXt")]
    assert len(texts) == 1
    others = [chunk for chunk in chunks if chunk not in texts]
    return b"".join([content[:8], *others[:-1], *texts, others[-1]])


def one_pixel_changed(content: bytes, random: Random) -> bytes:
    pixels = np.asarray(opened(content)).copy()
    place = tuple(int(random.integers(side)) for side in pixels.shape)
    pixels[place] = pixels[place] - 1 if pixels[place] else 1
    return saved(Image.fromarray(pixels), opened(content).info[KEYWORD])


def one_pixel_see_through(content: bytes, random: Random) -> bytes:
    picture = opened(content).convert("RGBA")
    place = int(random.integers(picture.width)), int(random.integers(picture.height))
    pixels = np.asarray(picture).copy()
    pixels[place[1], place[0], 3] = 254
    picture = Image.fromarray(pixels)
    return saved(picture, opened(content).info[KEYWORD])


def codes_changed(content: bytes, random: Random) -> bytes:
    picture = opened(content)
    record = json.loads(picture.info[KEYWORD])
    change = int(random.integers(4))
    if change == 0 and "noise" not in record:
        record["seed"] = (record["seed"] + 1) % 2**63
    elif change == 1 and "noise" not in record:
        record["index"] += 1
    elif change == 2:
        old = max(record["class"], key=record["class"].get)
        record["class"] = {str((int(old) + 1) % 10): 1.0}
    else:
        name = str(random.choice(list(record["styles"])))
        record["styles"][name] += 0.4 if record["styles"][name] < 0 else -0.4
    return saved(picture, json.dumps(record))


def chunk_of_another(content: bytes, random: Random) -> bytes:
    picture = opened(content)
    record = json.loads(picture.info[KEYWORD]) | {"seed": int(random.integers(2**63)), "index": 7}
    record.pop("noise", None)
    return saved(picture, json.dumps(record))


def another_models_digest(content: bytes, random: Random) -> bytes:
    picture = opened(content)
    record = json.loads(picture.info[KEYWORD])
    if random.random() < 0.5:
        return saved(picture, json.dumps(record | {"digest": bytes(random.bytes(32)).hex()}))
    other = opened(ANOTHER["fashion-infogan"]).info[KEYWORD]
    named = {key: json.loads(other)[key] for key in ("digest", "model")}
    return saved(picture, json.dumps(record | named))


def cropped(content: bytes, random: Random) -> bytes:
    picture = opened(content)
    width, height = picture.size
    left, top = (int(random.integers(2)) for _ in range(2))
    box = (left, top, width - (1 - left if not top else 0), height - (1 - top))
    return saved(picture.crop(box), picture.info[KEYWORD])


def jpeg(content: bytes, _: Random) -> bytes:
    buffer = io.BytesIO()
    opened(content).save(buffer, "JPEG")
    return buffer.getvalue()


def pixels_of_jpeg(content: bytes, random: Random) -> bytes:
    return saved(opened(jpeg(content, random)), opened(content).info[KEYWORD])


def turned(content: bytes, random: Random) -> bytes:
    picture = opened(content)
    way = [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180][int(random.integers(2))]
    return saved(picture.transpose(way), picture.info[KEYWORD])


def smoothly_enlarged(content: bytes, _: Random) -> bytes:
    picture = opened(content)
    return saved(
        picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC), picture.info[KEYWORD]
    )


def chunk_gone(content: bytes, _: Random) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(opened(content))).save(buffer, "PNG")
    return buffer.getvalue()


OURS: tuple[Make, ...] = (one, of_any_model, row, items, traversal, interpolation)

FORGERIES: dict[Alter, set[str]] = {
    one_pixel_changed: {"pixels-differ"},
    one_pixel_see_through: {"pixels-differ"},
    codes_changed: {"pixels-differ"},
    chunk_of_another: {"pixels-differ"},
    another_models_digest: {"unknown-version", "other-codes"},
    cropped: {"size-differs"},
    jpeg: {"no-record"},
    pixels_of_jpeg: {"pixels-differ"},
    turned: {"pixels-differ"},
    smoothly_enlarged: {"pixels-differ"},
    chunk_gone: {"no-record"},
}
"""Each with the reasons that it may be refused for."""

ANOTHER: dict[str, bytes] = {}


def test_all_of_our_own_are_verified(client: TestClient) -> None:
    random, counts = np.random.default_rng(0), Counter[str]()
    for number in range(TRIED):
        make = OURS[number % len(OURS)]
        content = make(client, random)
        altered = random.random() < 0.5 and make is not of_any_model
        found = verify(client, resaved(content, random) if altered else content)
        assert found["verified"], (make.__name__, found)
        counts[make.__name__ + (", saved again" if altered else "")] += 1
    print(f"{sum(counts.values())} of our own, all verified: {dict(counts)}")


def test_no_forgery_is_verified(client: TestClient) -> None:
    random, counts = np.random.default_rng(1), Counter[str]()
    ANOTHER["fashion-infogan"] = post(client, "/v1/images", {"model": "fashion-infogan", "seed": 1})
    for number in range(TRIED):
        forge, reasons = list(FORGERIES.items())[number % len(FORGERIES)]
        found = verify(client, forge(one(client, random), random))
        assert not found["verified"], forge.__name__
        assert found["reason"] in reasons, (forge.__name__, found)
        counts[f"{forge.__name__}: {found['reason']}"] += 1
    print(f"{sum(counts.values())} forgeries, none verified: {dict(counts)}")


def test_the_place_of_a_changed_pixel_is_told(client: TestClient) -> None:
    sheet = opened(post(client, "/v1/images", {"model": MODEL, "seed": 1, "n": 9, "scale": 2}))
    pixels = np.asarray(sheet).copy()
    pixels[60, 3] ^= 1  # the first pixel row of the second row of images is 56
    pixels[61, 120] ^= 1
    found = verify(client, saved(Image.fromarray(pixels), sheet.info[KEYWORD]))
    assert (found["pixels"], found["box"], found["places"]) == (2, [3, 60, 121, 62], [3, 5])
    assert (found["model"], found["reason"]) == (MODEL, "pixels-differ")
