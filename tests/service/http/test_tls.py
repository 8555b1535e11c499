"""A real server of HTTPS, by real clients and bad ones."""

import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from service.app import create_app, open_certificate
from service.errors import InvalidSetting
from service.http.tls import Certificate
from service.settings import Settings
from tests.conftest import Secret, listening, program, write_secret


def secured(models_dir: Path, secret: Secret, **settings: Any) -> Any:
    app = create_app(Settings(models_dir=models_dir, default_model="small"))
    return listening(app, secret.certificate, tls_certificate=secret.certificate, tls_key=secret.key, **settings)


def trusting(secret: Secret) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=secret.certificate)


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)


def shake(client: socket.socket, secret: Secret) -> ssl.SSLSocket:
    return trusting(secret).wrap_socket(client, server_hostname="127.0.0.1")


@pytest.fixture(scope="module")
def url(models_dir: Path, secret: Secret) -> Iterator[str]:
    with secured(models_dir, secret) as url:
        yield url


def test_many_requests_go_over_one_connection(url: str, secret: Secret) -> None:
    parts = urlsplit(url)
    client = HTTPSConnection(parts.hostname or "", parts.port, timeout=30, context=trusting(secret))
    pictures = set()
    for _ in range(20):
        client.request("GET", "/v1/image?seed=3")
        opened = client.sock
        with client.getresponse() as answer:
            assert answer.status == 200
            pictures.add(answer.read())
        assert client.sock is opened
    client.close()
    assert len(pictures) == 1


def test_a_large_answer_and_a_large_body_come_whole(url: str, secret: Secret) -> None:
    with httpx.Client(base_url=url, verify=trusting(secret), timeout=60) as client:
        answer = client.post("/v1/images", json={"n": 1000, "format": "npy", "seed": 1})
        assert len(answer.content) == 1000 * 784 + 128
        assert client.post("/v1/images", content=b" " * 10_000_000).status_code == 413
        assert client.get("/docs/").headers["location"] == "../docs"


def test_a_client_that_trusts_another_certificate_is_not_served(url: str, tmp_path: Path) -> None:
    other = write_secret(tmp_path, "other")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(url, verify=trusting(other))


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", b"\x16\x03\x01\x00\x00", b"\0" * 100])
def test_what_is_no_tls_gets_no_answer_and_no_traceback(
    url: str, secret: Secret, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    with connect(url) as client:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: receive(client), b""))
        assert b"HTTP/1.1" not in got
    assert httpx.get(f"{url}/v1/models", verify=trusting(secret)).status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def receive(client: socket.socket) -> bytes:
    try:
        return client.recv(65_536)
    except ConnectionResetError:
        return b""


def test_who_connects_and_never_speaks_is_closed(models_dir: Path, secret: Secret) -> None:
    with secured(models_dir, secret, max_head_seconds=0.2, max_idle_seconds=30) as url, connect(url) as client:
        assert receive(client) == b""


def test_who_agrees_and_never_asks_is_closed(models_dir: Path, secret: Secret) -> None:
    with secured(models_dir, secret, max_idle_seconds=0.2) as url, shake(connect(url), secret) as client:
        assert client.recv(1) == b""


def test_a_head_that_comes_slowly_is_refused(models_dir: Path, secret: Secret) -> None:
    with secured(models_dir, secret, max_head_seconds=0.5) as url, shake(connect(url), secret) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_clients_that_have_not_agreed_yet_count_among_the_connections(models_dir: Path, secret: Secret) -> None:
    with secured(models_dir, secret, max_connections=3, max_head_seconds=60) as url, ExitStack() as stack:
        silent = [stack.enter_context(connect(url)) for _ in range(4)]  # the fixture's client may still have a place
        assert receive(stack.enter_context(connect(url))) == b""
        for client in silent:
            client.close()
        answers: list[httpx.Response] = []
        while not answers:
            with suppress(httpx.TransportError):  # the server has not seen them leave yet
                answers.append(httpx.get(f"{url}/v1/models", verify=trusting(secret)))
        assert answers[0].status_code == 200


def test_files_that_are_renewed_are_taken_once_they_fit(tmp_path: Path) -> None:
    old, new = write_secret(tmp_path, "old"), write_secret(tmp_path, "new")
    used = Secret(Path(shutil.copy(old.certificate, tmp_path / "cert")), Path(shutil.copy(old.key, tmp_path / "key")))
    certificate = Certificate(*used)
    first = certificate.context
    assert first.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert certificate.context is first
    shutil.copy(new.certificate, used.certificate)
    assert certificate.context is first  # of another key
    shutil.copy(new.key, used.key)
    renewed = certificate.context
    assert renewed is not first
    used.key.unlink()
    assert certificate.context is renewed


def test_a_connection_goes_on_while_the_next_has_the_renewed_certificate(models_dir: Path, tmp_path: Path) -> None:
    old, new = write_secret(tmp_path, "old"), write_secret(tmp_path, "new")
    with secured(models_dir, old) as url, httpx.Client(base_url=url, verify=trusting(old)) as client:
        assert client.get("/v1/models").status_code == 200
        new.key.rename(old.key)
        old_client = trusting(old)
        new.certificate.rename(old.certificate)
        assert client.get("/v1/models").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v1/models", verify=old_client)
        assert httpx.get(f"{url}/v1/models", verify=trusting(old)).status_code == 200


def test_files_that_are_no_certificate_are_named(secret: Secret, tmp_path: Path) -> None:
    other = write_secret(tmp_path, "other")
    locked = tmp_path / "locked.key"
    openssl = [program("openssl"), "ec", "-in", str(other.key), "-aes256", "-passout", "pass:x", "-out", str(locked)]
    subprocess.run(openssl, check=True, capture_output=True)
    wrong: list[tuple[dict[str, Path], str]] = [
        ({"tls_certificate": secret.certificate}, "set both FAUSSAIRE_TLS_CERTIFICATE and FAUSSAIRE_TLS_KEY"),
        ({"tls_key": secret.key}, "set both FAUSSAIRE_TLS_CERTIFICATE and FAUSSAIRE_TLS_KEY"),
        (
            {"tls_certificate": tmp_path / "none", "tls_key": secret.key},
            f"FAUSSAIRE_TLS_CERTIFICATE: {tmp_path}/none: No such file",
        ),
        (
            {"tls_certificate": secret.certificate, "tls_key": tmp_path},
            f"FAUSSAIRE_TLS_KEY: {tmp_path}: Is a directory",
        ),
        ({"tls_certificate": secret.certificate, "tls_key": other.key}, "must be a certificate in PEM"),
        ({"tls_certificate": secret.key, "tls_key": secret.key}, "must be a certificate in PEM"),
        ({"tls_certificate": other.certificate, "tls_key": locked}, "without a passphrase"),
    ]
    for settings, said in wrong:
        with pytest.raises(InvalidSetting) as raised:
            open_certificate(Settings(**settings))  # type: ignore[arg-type]
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)
