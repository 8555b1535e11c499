"""TLS: the certificate, and a client's connection until both sides have agreed on their keys."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.errors import InvalidSetting
from service.http.connection import DRAIN_SECONDS, Connection
from service.http.connections import Connections
from service.marks import Mark, mark_of
from service.telemetry.log import log


class Certificate:
    """A certificate with its chain, and its key, in PEM. Both are read again when their files change."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises InvalidSetting."""
        self._files = certificate, key
        self._seen = self._look()
        self._context = _read(certificate, key)

    @property
    def context(self) -> ssl.SSLContext:
        """For the next client. While the files cannot be used, it is that of the files before."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._context = _read(*self._files)
            except InvalidSetting as error:
                log.warning("%s; the service keeps the certificate that it had", error)
            else:
                log.info("took a new certificate from %s", self._files[0])
        return self._context

    def _look(self) -> list[Mark | None]:
        """None if they cannot be looked at."""
        with suppress(OSError):
            return [mark_of(path) for path in self._files]
        return [None, None]


def _read(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises InvalidSetting."""
    for name, path in (("CERTIFICATE", certificate), ("KEY", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise InvalidSetting(f"FAUSSAIRE_TLS_{name}: {path}: {error.strerror}") from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")  # without, OpenSSL asks the terminal for one
    except ssl.SSLError as error:
        raise InvalidSetting(
            f"FAUSSAIRE_TLS_CERTIFICATE, FAUSSAIRE_TLS_KEY: {certificate} must be a certificate in PEM with its chain, "
            f"and {key} its key without a passphrase; OpenSSL says: {error}"
        ) from None
    return context


class Handshake(asyncio.Protocol):
    """Takes a client's socket from uvicorn, and gives it to a Connection when both sides have agreed.

    A client counts among the connections from the start, and has the time of a request's head for this.
    """

    def __init__(
        self, certificate: Certificate, connections: Connections, connect: Callable[..., Connection], **given: Any
    ) -> None:
        self._certificate = certificate
        self._connections = connections
        self._connection = connect(**given)
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        client = transport.get_extra_info("peername") or ("", 0)
        if self._connections.admit(self._connection, client[0]):
            # Of our own, so that this transport reads nothing: what it had read, TLS would lack.
            own = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
            self._task = asyncio.get_running_loop().create_task(self._agree(own))
        transport.abort()  # type: ignore[attr-defined] # it is a Transport

    async def _agree(self, own: socket.socket) -> None:
        own.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._connection,
                own,
                ssl=self._certificate.context,
                ssl_handshake_timeout=self._connections.patience.head_seconds,
                ssl_shutdown_timeout=DRAIN_SECONDS,
            )
        except OSError:  # the client speaks no TLS, trusts another, left, or was late
            self._connections.drop(self._connection)
