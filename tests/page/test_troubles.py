"""What the page does when the service is slow, refuses, is gone, or serves another model."""

from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route

from service.app import create_app
from service.http.application import alone
from service.http.asgi import App, Receive, Scope, Send
from service.settings import Settings
from tests.conftest import (
    listening,
    write_named_version,
    write_release,
    write_small,
    write_version,
)
from tests.end_to_end.conftest import ROOT, free_port, serving
from tests.page.conftest import MODEL, Visit, drawn, value_at

FIRST: dict[str, Any] = {"model": MODEL, "class": "0", "style": [0, 0], "seed": 18}
IMAGES = "**/v1/images"


class Hold:
    """Holds the requests for images until they are let go."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        self._holding = True
        page.route(IMAGES, self._handle)

    def _handle(self, route: Route) -> None:
        if self._holding:
            self.held.append(route)
        else:
            route.continue_()

    def let_go(self) -> None:
        self._holding = False
        for route in self.held:
            route.continue_()


def settled(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.wait_for_pixels("#one", drawn(service, **FIRST))
    visit.page.wait_for_load_state("networkidle")


def test_only_one_request_for_the_live_image_is_in_flight_and_the_newest_wins(
    visit: Visit, service: httpx.Client
) -> None:
    settled(visit, service)
    frame = visit.box("#stage-frame")
    hold = Hold(visit.page)
    with visit.page.expect_request(IMAGES):
        for step in range(30):
            visit.page.mouse.move(frame["x"] + 20 + 40 * step, frame["y"] + 100)
    visit.page.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.25 * frame["height"])
    assert len(hold.held) == 1
    hold.let_go()
    style = [value_at(service, "thickness", 0.5), value_at(service, "slant", 0.75)]
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": style}))


def test_a_choice_cancels_the_request_in_flight(visit: Visit, service: httpx.Client) -> None:
    settled(visit, service)
    Hold(visit.page)
    with visit.page.expect_request(IMAGES) as first:
        visit.point_at("#stage-frame", 0.3, 0.3)
    with visit.page.expect_event("requestfailed", lambda request: request == first.value):
        visit.page.keyboard.press("6")


def test_a_busy_service_is_asked_again_after_its_wait(visit: Visit, service: httpx.Client) -> None:
    problem = {"type": "urn:faussaire:problem:queue-full", "title": "", "status": 429, "detail": "Full."}
    settled(visit, service)
    visit.page.route(
        IMAGES, lambda route: route.fulfill(status=429, headers={"Retry-After": "2"}, json=problem), times=1
    )
    visit.page.keyboard.press("4")
    visit.wait_for_text("#notice", "The service is busy. Trying again in 2 s.")
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"class": "4"}))
    visit.page.wait_for_selector("#notice", state="hidden")


def test_a_queue_that_is_always_full_is_said_and_nothing_breaks(new_context: Any) -> None:
    with listening(create_app(Settings(max_queue_rows=3))) as url:
        visit = Visit(new_context(), f"{url}/")
        visit.page.goto(visit.url)
        visit.wait_for_text("#notice", "The service is busy. Trying again in")
        visit.check()


WITHOUT_MODEL: dict[str, dict[str, Any]] = {
    "starting": {"status": 503, "json": {"detail": "Loading."}},
    "none": {"json": {"models": []}},
}


@pytest.mark.parametrize("answer", WITHOUT_MODEL.values(), ids=list(WITHOUT_MODEL))
def test_without_a_model_the_page_waits_and_shows_no_dead_controls(
    visit: Visit, service: httpx.Client, answer: dict[str, Any]
) -> None:
    visit.page.route("**/v1/models", lambda route: route.fulfill(**answer))
    visit.page.goto(visit.url)
    visit.wait_for_text("#notice", "Trying again in")
    assert visit.page.is_hidden("main")
    visit.page.keyboard.press("r")
    visit.page.unroute("**/v1/models")
    visit.open()
    visit.wait_for_pixels("#one", drawn(service, **FIRST))


def test_an_answer_of_another_program_is_said_until_all_is_well(visit: Visit, service: httpx.Client) -> None:
    settled(visit, service)
    visit.page.route(IMAGES, lambda route: route.fulfill(body="<html>Log in.</html>"), times=1)
    visit.page.keyboard.press("3")
    visit.wait_for_text("#notice", "The answer is not one of this service.")
    visit.page.keyboard.press("4")
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"class": "4"}))
    visit.page.wait_for_selector("#notice", state="hidden")


def test_without_a_network_the_page_waits_and_goes_on(visit: Visit, service: httpx.Client) -> None:
    settled(visit, service)
    visit.context.set_offline(True)
    visit.page.keyboard.press("4")
    visit.wait_for_text("#notice", "The service does not answer. Trying again in 2 s.")
    visit.context.set_offline(False)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"class": "4"}))
    visit.page.wait_for_selector("#notice", state="hidden")


def test_a_service_that_is_stopped_and_started_is_found_again(new_context: Any, tmp_path: Path) -> None:
    port = free_port()
    with serving(ROOT / "models", tmp_path, port=str(port)):
        visit = Visit(new_context(), f"http://127.0.0.1:{port}/").open()
    visit.page.keyboard.press("4")
    visit.wait_for_text("#notice", "The service does not answer.")
    with serving(ROOT / "models", tmp_path, port=str(port)) as client:
        visit.wait_for_pixels("#one", drawn(client, **FIRST | {"class": "4"}))
        visit.page.wait_for_selector("#notice", state="hidden")
        visit.check()


def watched(folder: Path) -> Settings:
    return Settings(models_dir=folder, default_model="small", watch_seconds=0.05)


def served_digest(url: str) -> str:
    return str(httpx.get(f"{url}/v1/models/small").json()["digest"])


def test_a_model_that_is_replaced_is_said_and_the_new_one_is_drawn(new_context: Any, tmp_path: Path) -> None:
    write_version(tmp_path, 0)
    with listening(create_app(watched(tmp_path))) as url:
        visit = Visit(new_context(), f"{url}/").open()
        before = served_digest(url)
        write_version(tmp_path, 1)
        while served_digest(url) == before:
            Event().wait(0.05)
        visit.page.keyboard.press("4")
        visit.wait_for_text("#notice", "small was replaced. This is the new version, small@")
        with httpx.Client(base_url=url) as client:
            expected = drawn(client, seed=18, style=[0, 0], **{"class": "4"})
        visit.wait_for_pixels("#one", expected)
        visit.check()


def test_a_model_that_is_gone_is_said_and_another_is_shown(new_context: Any, tmp_path: Path) -> None:
    write_version(tmp_path, 0)
    write_small(tmp_path, "other")
    with listening(create_app(watched(tmp_path))) as url:
        visit = Visit(new_context(), f"{url}/").open("#model=other&seed=1")
        (tmp_path / "other.onnx").unlink()
        while httpx.get(f"{url}/v1/models/other").status_code == 200:
            Event().wait(0.05)
        visit.page.keyboard.press("4")
        visit.wait_for_text("#notice", "other is no longer served.")
        visit.page.wait_for_selector(".model[aria-pressed=true] >> text=small")
        visit.check()


def test_a_canary_can_be_chosen_beside_the_stable_version(new_context: Any, tmp_path: Path) -> None:
    stable, canary = (write_named_version(tmp_path, version) for version in (0, 1))
    release = write_release(tmp_path, stable, canary, 0.25)
    with listening(create_app(watched(tmp_path))) as url, httpx.Client(base_url=url) as client:
        visit = Visit(new_context(), f"{url}/").open()
        told = visit.text("#version")
        assert "stable, 75.0 % of the seeds" in told
        assert "canary, 25.0 % of the seeds" in told
        assert release.canary is not None
        visit.page.select_option("#version", release.canary)
        body = {"model": f"small@{release.canary[:12]}", "seed": 18, "class": "0", "style": [0, 0]}
        visit.wait_for_pixels("#one", drawn(client, **body))
        visit.check()


def behind(prefix: str, target: str) -> App:
    """A proxy that takes a prefix off each path, and knows no others."""

    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await alone(scope, receive, send)
            return
        path = scope["path"]
        if path != "/readyz":  # `listening` asks for this one
            assert path.startswith(prefix), path
        query = scope["query_string"].decode()
        async with httpx.AsyncClient(base_url=target) as client:
            url = f"{path.removeprefix(prefix)}?{query}"
            answer = await client.request(scope["method"], url, headers=scope["headers"], content=await read(receive))
        headers = [each for each in answer.headers.raw if each[0] not in (b"content-encoding", b"content-length")]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    return forward


async def read(receive: Receive) -> bytes:
    message = await receive()
    content: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        content += message["body"]
    return content


def test_the_page_works_behind_a_prefix(new_context: Any, service: httpx.Client) -> None:
    with listening(behind("/some/where", str(service.base_url))) as url:
        visit = Visit(new_context(), f"{url}/some/where/").open()
        visit.page.keyboard.press("4")
        visit.box("#grid")
        visit.page.wait_for_selector("#grid .tile")
        assert f"{url}/some/where/v1/images" in visit.text("#copy-curl")
        visit.page.get_by_role("link", name="API").click()
        visit.page.wait_for_selector(".opblock")
        visit.check()


def test_a_slow_service_still_shows_the_last_choice(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.page.wait_for_load_state("networkidle")
    network = visit.context.new_cdp_session(visit.page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 700, "downloadThroughput": 20_000, "uploadThroughput": 20_000}
    network.send("Network.emulateNetworkConditions", slow)
    thickness, slant = value_at(service, "thickness", 0.7), value_at(service, "slant", 0.8)
    visit.slide("slant", slant)
    visit.slide("thickness", thickness)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": [thickness, slant]}))
