"""The client against the application: waiting over a real socket, and awaiting in one process with it."""

import asyncio
import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as Picture

from faussaire import AsyncClient, Client, Image, ImageCodes, Model, Problem, Refused, UnexpectedAnswer, Verification
from service.api import models
from service.app import create_app
from service.http.application import Application
from service.reading import reader as codes
from service.reading import verifier
from service.settings import Settings
from tests.conftest import NOISE, listening

Called = Callable[..., Any]
"""A client's method by name and arguments, whichever client it is."""


@pytest.fixture(scope="module")
def app(models_dir: Path) -> Application:
    return create_app(Settings(models_dir=models_dir, default_model="small", max_images=100))


@pytest.fixture(scope="module")
def url(app: Application) -> Iterator[str]:
    with listening(app) as url:
        yield url


@asynccontextmanager
async def inside(models_dir: Path) -> AsyncIterator[AsyncClient]:
    """A client in one process, and one event loop, with a service of its own."""
    app = create_app(Settings(models_dir=models_dir, default_model="small", max_images=100))
    async with (
        app.open(),
        AsyncClient("http://inside", transport=httpx.ASGITransport(app)) as client,
    ):
        yield client


@pytest.fixture(params=["waiting", "awaiting"])
def called(request: pytest.FixtureRequest, models_dir: Path) -> Called:
    if request.param == "waiting":
        url = request.getfixturevalue("url")

        def waiting(method: str, *args: Any, **kwargs: Any) -> Any:
            with Client(url) as client:
                return getattr(client, method)(*args, **kwargs)

        return waiting

    async def awaited(method: str, *args: Any, **kwargs: Any) -> Any:
        async with inside(models_dir) as client:
            return await getattr(client, method)(*args, **kwargs)

    return lambda method, *args, **kwargs: asyncio.run(awaited(method, *args, **kwargs))


def plain(url: str, path: str, **body: Any) -> httpx.Response:
    answer = httpx.post(f"{url}{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def test_an_image_is_the_bytes_of_a_plain_request_and_tells_how_to_have_it_again(called: Called, url: str) -> None:
    image = called("image", class_="7", style=[0.5, -0.5], seed=1, index=3, truncation=0.5)
    answer = plain(
        url, "/v1/images", **{"class": "7"}, style=[0.5, -0.5], seed=1, index=3, truncation=0.5, format="png"
    )
    assert image.png == answer.content
    assert (image.seed, image.index, image.model) == (1, 3, answer.headers["faussaire-model"])
    chosen = called("image", model="plain")
    assert chosen.model.startswith("plain@")
    assert called("image", model="plain", seed=chosen.seed).png == chosen.png


def test_the_pixels_are_those_of_the_png(called: Called) -> None:
    image = called("image", seed=1, scale=2)
    assert image.pixels.shape == (56, 56, 1)
    assert image.pixels.dtype == np.uint8
    assert np.array_equal(image.pixels[:, :, 0], np.asarray(Picture.open(io.BytesIO(image.png))))


def test_many_images_are_an_array(called: Called) -> None:
    images = called("images", 5, class_={"4": 1, "9": 2}, seed=2)
    assert images.shape == (5, 28, 28, 1)
    assert images.dtype == np.uint8
    assert np.array_equal(images[3], called("image", class_={"4": 1, "9": 2}, seed=2, index=3).pixels)


def test_an_item_that_is_not_valid_is_its_problem_in_its_place(called: Called) -> None:
    first, second, third = called("items", [{"class": "7"}, {"class": "eleven"}, {"seed": 5}], seed=1)
    assert first == called("image", class_="7", seed=1)
    assert isinstance(second, Problem)
    assert (second.status, second.field) == (422, "items.1.class")
    assert third == called("image", seed=5)


def test_items_of_which_none_is_valid_are_refused(called: Called) -> None:
    with pytest.raises(Refused) as refused:
        called("items", [{"class": "eleven"}])
    assert refused.value.problem.type == "urn:faussaire:problem:every-item-failed"


def test_a_traversal_and_an_interpolation_are_the_bytes_of_plain_requests(called: Called, url: str) -> None:
    grid = {"rows": {"class": ["3", "8"]}, "columns": {"style": 0, "steps": 3}, "seed": 1}
    assert called("traversal", **grid) == plain(url, "/v1/traversals", **grid).content
    ends: dict[str, Any] = {"from": {"class": "3", "seed": 1}, "to": {"class": "8"}}
    played: dict[str, Any] = {"frames": 4, "format": "gif", "loop": True}
    way = called("interpolation", *ends.values(), **played)
    assert way == plain(url, "/v1/interpolations", **ends, **played).content


def test_the_codes_of_an_image_come_back(called: Called) -> None:
    image = called("image", class_="7", seed=4)
    told = called("codes", image.png)
    assert (told.model, told.source, told.class_, told.seed) == ("small", "metadata", "7", 4)
    assert set(told.styles) == {"slant", "width"}
    recognised = called("codes", called("image", model="plain").png, "small")
    assert recognised.source == "recogniser"
    assert recognised.framed.startswith(b"\x89PNG")


def test_a_data_set_is_streamed_into_its_file(called: Called, url: str, tmp_path: Path) -> None:
    path = tmp_path / "digits.tar"
    seed = called("dataset", path, 600, model="small", shards=2, shard=1, style={"slant": 0.5})
    body = {"n": 600, "model": "small", "shards": 2, "shard": 1, "style": {"slant": 0.5}, "seed": seed}
    assert path.read_bytes() == plain(url, "/v1/datasets", **body).content
    with tarfile.open(path) as archive:
        assert archive.getnames()
    assert list(tmp_path.iterdir()) == [path]


def test_the_models_come_with_their_cards(called: Called) -> None:
    found = {model.card.name: model for model in called("models")}
    assert set(found) == {"small", "plain"}
    assert found["small"].default
    assert [style.name for style in found["small"].card.space.styles] == ["slant", "width"]


def test_a_refusal_names_status_field_and_remedy(called: Called, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="422: class: Choose one of") as refused:
        called("image", class_="seven")
    assert (refused.value.status, refused.value.field, refused.value.retry_after) == (422, "class", None)
    with pytest.raises(Refused) as refused:
        called("dataset", tmp_path / "none", 1, model="gpt")
    assert (refused.value.status, refused.value.field) == (404, "model")
    assert list(tmp_path.iterdir()) == []


def test_a_full_queue_says_when_to_try_again(models_dir: Path) -> None:
    with (
        listening(create_app(Settings(models_dir=models_dir, default_model="small", max_queue_rows=3))) as url,
        Client(url) as client,
        pytest.raises(Refused) as refused,
    ):
        client.images(4)
    assert refused.value.status == 429
    assert refused.value.retry_after is not None
    assert refused.value.retry_after >= 1


class Busy(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Refuses so many requests, and then answers."""

    def __init__(self, times: int, status: int = 429, **headers: str) -> None:
        self._left = times
        self._status = status
        self._headers = headers
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        return self._answer()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(await request.aread())
        return self._answer()

    def _answer(self) -> httpx.Response:
        self._left -= 1
        if self._left >= 0:
            return httpx.Response(self._status, headers={k.replace("_", "-"): v for k, v in self._headers.items()})
        headers = {"Faussaire-Seed": "1", "Faussaire-Index": "0", "Faussaire-Model": "small@0"}
        return httpx.Response(200, headers=headers | {"Content-Type": "image/png"}, content=b"drawn")


def tried(kind: str, busy: Busy, retries: int) -> tuple[Image, list[float]]:
    """The image in the end, and what was waited before."""
    waited: list[float] = []
    if kind == "waiting":
        with Client("http://busy", retries=retries, transport=busy, wait=waited.append) as client:
            return client.image(seed=1), waited

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    async def run() -> Image:
        async with AsyncClient("http://busy", retries=retries, transport=busy, wait=wait) as client:
            return await client.image(seed=1)

    return asyncio.run(run()), waited


@pytest.mark.parametrize("kind", ["waiting", "awaiting"])
def test_a_client_waits_as_it_is_told_and_tries_the_same_again(kind: str) -> None:
    busy = Busy(2, Retry_After="7")
    image, waited = tried(kind, busy, retries=2)
    assert image.png == b"drawn"
    assert waited == [7, 7]
    assert len(busy.bodies) == 3
    assert len(set(busy.bodies)) == 1


@pytest.mark.parametrize("kind", ["waiting", "awaiting"])
def test_a_client_tries_no_more_often_than_it_may(kind: str) -> None:
    busy = Busy(3, Retry_After="7")
    with pytest.raises(Refused) as refused:
        tried(kind, busy, retries=2)
    assert refused.value.retry_after == 7
    assert len(busy.bodies) == 3


@pytest.mark.parametrize("kind", ["waiting", "awaiting"])
@pytest.mark.parametrize("status", [422, 502])
def test_what_would_not_be_otherwise_later_is_not_tried_again(kind: str, status: int) -> None:
    busy = Busy(1, status)
    with pytest.raises(Refused) as refused:
        tried(kind, busy, retries=2)
    assert (refused.value.status, len(busy.bodies)) == (status, 1)


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An answer that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"begun"
        raise httpx.RemoteProtocolError("peer closed connection")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


@pytest.mark.parametrize("kind", ["waiting", "awaiting"])
def test_of_a_data_set_that_breaks_off_nothing_is_left(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "digits.tar"
    path.write_bytes(b"before")
    headers = {"Content-Type": "application/x-tar", "Faussaire-Seed": "1"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Broken()))

    async def run() -> None:
        async with AsyncClient("http://broken", transport=transport) as client:
            await client.dataset(path, 1)

    with pytest.raises(httpx.RemoteProtocolError), Client("http://broken", transport=transport) as client:
        client.dataset(path, 1) if kind == "waiting" else asyncio.run(run())
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_many_images_are_awaited_at_once(models_dir: Path) -> None:
    async def run() -> list[Image]:
        async with inside(models_dir) as client:
            asked: list[Coroutine[Any, Any, Image]] = [client.image(seed=1, index=index) for index in range(20)]
            return await asyncio.gather(*asked)

    assert [image.index for image in asyncio.run(run())] == list(range(20))


def test_the_client_knows_every_field_that_the_service_answers_with() -> None:
    assert set(ImageCodes.model_fields) == set(codes.ImageCodes.model_fields)
    assert set(Verification.model_fields) == set(verifier.Verification.model_fields)
    assert set(Model.model_fields) == set(models.Model.model_fields)


def test_the_client_imports_nothing_of_the_server_or_of_training() -> None:
    heavy = "{'bentoml', 'fastapi', 'onnx', 'onnxruntime', 'prometheus_client', 'starlette', 'torch'}"
    program = f"import sys, faussaire; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("kind", ["waiting", "awaiting"])
def test_a_client_waits_until_a_date_too(kind: str) -> None:
    past = "Fri, 31 Dec 1999 23:59:59 GMT"
    image, waited = tried(kind, Busy(1, status=503, Retry_After=past), retries=1)
    assert image.png == b"drawn"
    assert waited == [0]


def test_numpys_numbers_and_arrays_are_taken_everywhere(called: Called) -> None:
    noise = np.linspace(-1, 1, NOISE, dtype=np.float32)
    style = np.array([0.3, -0.5], np.float32)
    codes: dict[str, Any] = {"noise": noise, "style": style, "truncation": np.float64(0.5), "seed": np.int64(1)}
    plainly = {"noise": noise.tolist(), "style": [0.3, -0.5], "truncation": 0.5, "seed": 1}
    drawn = called("image", class_=np.int32(7), index=np.uint8(2), scale=np.int16(2), **codes)
    assert drawn == called("image", class_=7, index=2, scale=2, **plainly)
    assert called("codes", drawn.png).styles == {"slant": 0.3, "width": -0.5}
    blend = {"3": np.float32(0.25), "8": np.array(0.75)}
    assert np.array_equal(
        called("images", np.int64(2), class_=blend, seed=np.array(4)),
        called("images", 2, class_={"3": 0.25, "8": 0.75}, seed=4),
    )
    assert called("items", [codes], seed=np.int64(3)) == called("items", [plainly], seed=3)
    axis = {"seed": np.arange(1, 4)}
    assert called("traversal", axis) == called("traversal", {"seed": [1, 2, 3]})
    ends = ({"seed": np.int64(1)}, {"style": style})
    assert called("interpolation", *ends, frames=np.int8(3)) == called(
        "interpolation", {"seed": 1}, {"style": [0.3, -0.5]}, frames=3
    )


def test_an_image_of_ours_is_verified_and_another_is_not(called: Called, tmp_path: Path) -> None:
    image = called("image", class_="7", seed=3)
    ours = called("verify", image.png)
    assert (ours.verified, ours.model, ours.seed, ours.class_) == (True, "small", 3, {"7": 1.0})
    Picture.new("L", (28, 28)).save(tmp_path / "other.png")
    other = called("verify", tmp_path / "other.png")
    assert (other.verified, other.reason) == (False, "no-record")


def test_codes_are_read_from_a_path(called: Called, tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    path.write_bytes(called("image", class_="7", seed=4).png)
    assert called("codes", path).class_ == "7"


def test_an_argument_that_json_cannot_hold_is_named(called: Called) -> None:
    with pytest.raises(TypeError, match="noise must hold numbers; its dtype is complex128"):
        called("image", noise=np.zeros(3, complex))
    with pytest.raises(ValueError, match=r"points\.1\.style must be finite"):
        called("items", [{}, {"style": np.array([np.nan])}])
    with pytest.raises(TypeError, match=r"class_ must be made of .* <class 'object'>"):
        called("image", class_=object())
    with pytest.raises(TypeError, match="the bytes of an image file, or its"):
        called("codes", "seven.png")


PAGE = {"Content-Type": "text/html"}
TAR = {"Content-Type": "application/x-tar", "Faussaire-Seed": "1"}


@pytest.mark.parametrize("kind", ["waiting", "awaiting"])
@pytest.mark.parametrize(
    ("headers", "content", "message"),
    [
        (PAGE, b"<html>", "answered with text/html instead of application/x-tar"),
        (TAR, b"", "ended early"),
        (TAR, bytes(512), "ended early"),
        (TAR, bytes(2048), "ended early"),
        ({"Content-Type": "application/x-tar"}, b"", "ended early"),
    ],
)
def test_a_data_set_that_is_not_one_leaves_no_file(
    kind: str, headers: dict[str, str], content: bytes, message: str, tmp_path: Path
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=content))

    async def run() -> None:
        async with AsyncClient("http://proxy", transport=transport) as client:
            await client.dataset(tmp_path / "digits.tar", 1)

    with pytest.raises(UnexpectedAnswer, match=message), Client("http://proxy", transport=transport) as client:
        client.dataset(tmp_path / "digits.tar", 1) if kind == "waiting" else asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


@contextmanager
def cutting_off(headers: httpx.Headers, content: bytes, ends: Iterable[int]) -> Iterator[str]:
    """A server that sends less of one answer to each request, and closes the connection as HTTP/1.0 ends an answer."""
    parts = iter([content[:end] for end in ends])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            for name in ("Content-Type", "Faussaire-Seed"):
                self.send_header(name, headers[name])
            self.end_headers()
            self.wfile.write(next(parts))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("kind", ["idx", "webdataset", "parquet", "zip"])
def test_a_data_set_that_ends_early_is_refused_wherever_it_ends(url: str, kind: Any, tmp_path: Path) -> None:
    path, whole = tmp_path / "digits", plain(url, "/v1/datasets", n=30, seed=1, format=kind)
    ends = range(0, len(whole.content), 512)
    with cutting_off(whole.headers, whole.content, [*ends, len(whole.content)]) as server, Client(server) as client:
        for _ in ends:
            with pytest.raises(UnexpectedAnswer, match="ended early"):
                client.dataset(path, 30, format=kind)
        assert list(tmp_path.iterdir()) == []
        assert client.dataset(path, 30, format=kind) == 1
    assert path.read_bytes() == whole.content


def test_one_model_is_asked_for_by_its_name_or_a_version(called: Called) -> None:
    (listed,) = [model for model in called("models") if model.card.name == "plain"]
    assert called("model", "plain") == called("model", f"plain@{listed.digest[:12]}") == listed
    with pytest.raises(Refused, match="404"):
        called("model", "a/b?c")


def test_a_page_in_place_of_an_image_is_no_image() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=PAGE, content=b"<html>"))
    with Client("http://proxy", transport=transport) as client, pytest.raises(UnexpectedAnswer, match="text/html"):
        client.image()
    with Client("http://proxy", transport=transport) as client, pytest.raises(UnexpectedAnswer, match="text/html"):
        client.models()
    headless = httpx.MockTransport(lambda _: httpx.Response(200, headers={"Content-Type": "image/png"}, content=b""))
    with Client("http://proxy", transport=headless) as client, pytest.raises(UnexpectedAnswer, match="Faussaire-Index"):
        client.image()
