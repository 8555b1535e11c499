import io
import random
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families


def draw(client: httpx.Client, **body: object) -> bytes:
    response = client.post("/v1/images", json=body)
    assert response.status_code == 200, response.text
    return response.content


def test_the_same_request_gives_the_same_bytes_whatever_runs_beside_it(server: httpx.Client) -> None:
    bodies = [{"seed": seed, "n": n, "class": seed % 10} for seed in range(12) for n in (1, 2, 17, 300)]
    alone = [draw(server, **body) for body in bodies]
    order = list(range(len(bodies))) * 3
    random.Random(0).shuffle(order)
    with ThreadPoolExecutor(16) as crowd:
        together = list(crowd.map(lambda k: draw(server, **bodies[k]), order))
    assert all(content == alone[k] for k, content in zip(order, together, strict=True))


def test_items_frames_and_tiles_are_the_same_bytes_alone_and_in_a_crowd(server: httpx.Client) -> None:
    items = [{"class": str(k % 10), "seed": k, "truncation": 0.5} for k in range(40)]
    asked: list[tuple[str, dict[str, object]]] = [
        ("/v1/images", {"items": items, "format": "zip"}),
        ("/v1/images", {"seed": 1, "n": 300, "format": "npy"}),
        ("/v1/traversals", {"rows": {"class": "all"}, "columns": {"style": 0}, "seed": 2, "format": "zip"}),
        ("/v1/interpolations", {"from": {"seed": 1}, "to": {"seed": 2}, "frames": 50, "format": "webp"}),
    ]

    def answer(k: int) -> tuple[int, str, bytes]:
        response = server.post(asked[k][0], json=asked[k][1])
        return response.status_code, response.headers["etag"], response.content

    alone = [answer(k) for k in range(len(asked))]
    assert {status for status, _, _ in alone} == {200}
    with ThreadPoolExecutor(16) as crowd:
        assert list(crowd.map(answer, [0, 1, 2, 3] * 8)) == alone * 8


def test_health_documentation_and_metrics_answer(server: httpx.Client) -> None:
    for path in ("/livez", "/readyz", "/docs", "/openapi.json", "/metrics", "/v1/models"):
        assert server.get(path).status_code == 200, path
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-light-32x32.png"):
        path = f"static_content/{asset}"
        assert path in server.get("/docs").text
        assert server.get(f"/{path}").status_code == 200


def test_a_body_of_ten_megabytes_is_refused_over_the_socket(server: httpx.Client) -> None:
    response = server.post("/v1/images", content=b" " * 10_000_000)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


def test_a_wrong_field_is_named_over_the_socket(server: httpx.Client) -> None:
    response = server.post("/v1/images", json={"n": 0})
    assert response.status_code == 422
    assert response.json()["field"] == "n"


def test_an_image_goes_out_and_its_codes_come_back_over_the_socket(server: httpx.Client) -> None:
    for model in ("small", "plain"):
        content = draw(server, model=model, seed=4, index=2)
        answer = server.post("/v1/codes", content=content).json()
        assert (answer["source"], answer["model"], answer["seed"], answer["index"]) == ("metadata", model, 4, 2)
        asked = {"class": answer["class"]} if "class" in answer else {}
        assert draw(server, model=model, seed=4, index=2, style=answer["styles"], **asked) == content


def test_drawings_are_read_while_images_are_drawn(server: httpx.Client) -> None:
    page = Image.new("L", (2000, 2000), "white")
    page.paste("black", (500, 300, 700, 1700))
    buffer = io.BytesIO()
    page.save(buffer, "JPEG")
    alone = server.post("/v1/codes", content=buffer.getvalue())
    assert alone.json()["source"] == "recogniser"
    image = draw(server, seed=1)
    with ThreadPoolExecutor(16) as crowd:
        read = [crowd.submit(server.post, "/v1/codes", content=buffer.getvalue()) for _ in range(12)]
        drawn = [crowd.submit(draw, server, seed=1) for _ in range(50)]
    assert {answer.result().content for answer in read} == {alone.content}
    assert {content.result() for content in drawn} == {image}


def test_metrics_count_over_the_whole_server(server: httpx.Client) -> None:
    def images() -> float:
        families = text_string_to_metric_families(server.get("/metrics").text)
        samples = [s for f in families for s in f.samples if s.name == "faussaire_images_total"]
        return sum(s.value for s in samples if s.labels["model"] == "small")

    before = images()
    picture = np.asarray(Image.open(io.BytesIO(draw(server, n=25))))
    assert picture.shape == (140, 140)
    assert images() - before == 25


def test_the_work_for_clients_that_leave_is_cancelled(server: httpx.Client) -> None:
    def gone() -> float:
        families = text_string_to_metric_families(server.get("/metrics").text)
        samples = [s for f in families for s in f.samples if s.name == "faussaire_requests_total"]
        return sum(s.value for s in samples if s.labels["outcome"] == "gone")

    before, url = gone(), server.base_url
    body = b'{"n": 1024, "format": "zip"}'
    head = (
        f"POST /v1/images HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    leaving = [socket.create_connection((url.host, url.port or 80)) for _ in range(20)]
    for client in leaving:
        client.sendall(head.encode() + body)
    for client in leaving:
        client.close()
    assert any(gone() > before for _ in range(1_000))


def test_fifty_unknown_addresses_add_no_series(server: httpx.Client) -> None:
    def series() -> set[str]:
        lines = server.get("/metrics").text.splitlines()
        return {line.rsplit(" ", 1)[0] for line in lines if not line.startswith("#")}

    server.get("/nothing")
    before = series()
    for number in range(50):
        assert server.get(f"/nothing/{number}").status_code == 404
    assert series() - before == set()
