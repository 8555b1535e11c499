"""A real server that is told to end while clients are at it."""

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil

from tests.end_to_end.conftest import serving, workers

CLIENTS = 16
HALF = b"POST /v1/images HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


def stop(models: Path) -> None:
    """Tell the server's first process to end."""
    (worker,) = workers(models)
    arbiter = worker.parent()
    assert isinstance(arbiter, psutil.Process)
    arbiter.terminate()


def ask_until_the_last_answer(url: httpx.URL, enough: int) -> int:
    """Ask over one connection until the server says that it ends it; return how many answers came."""
    connection = http.client.HTTPConnection(url.host, url.port, timeout=30)
    connection.connect()
    answers = 0
    while connection.sock is not None:  # the answer with `Connection: close` leaves no socket
        connection.request("GET", f"/v1/image?model=small&seed={answers % enough}")
        with connection.getresponse() as answer:
            assert answer.status == 200
            assert len(answer.read()) > 100
        answers += 1
    return answers


def test_a_server_that_ends_answers_every_request_that_it_took(own_models: Path, tmp_path: Path) -> None:
    with serving(own_models, tmp_path) as client, ThreadPoolExecutor(CLIENTS) as crowd:
        asking = [crowd.submit(ask_until_the_last_answer, client.base_url, 50) for _ in range(CLIENTS)]
        while client.get("/metrics").text.count("faussaire_images_total") == 0:
            pass
        stop(own_models)
        assert all(answers.result() > 0 for answers in asking)
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_clients_that_broke_off_do_not_keep_a_server_from_its_end(own_models: Path, tmp_path: Path) -> None:
    with serving(own_models, tmp_path) as client:
        address = (client.base_url.host, client.base_url.port or 0)
        idle, head, gone = (socket.create_connection(address, timeout=30) for _ in range(3))
        head.sendall(HALF[:20])
        gone.sendall(HALF)
        gone.close()
        with idle, head:
            stop(own_models)
            assert idle.recv(1) == b""
            assert head.recv(1) == b""
    log = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in log
    assert "timeout graceful shutdown exceeded" not in log
