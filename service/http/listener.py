"""A second address of a process that serves, besides the one that its server listens on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

from uvicorn.server import ServerState


@asynccontextmanager
async def listening(connect: Callable[..., asyncio.Protocol], host: str, port: int) -> AsyncIterator[None]:
    """Take connections there, as long as this context lasts. Several processes may share the address."""
    state = ServerState()
    given = {"config": SimpleNamespace(root_path=""), "server_state": state, "app_state": {}}
    server = await asyncio.get_running_loop().create_server(lambda: connect(**given), host, port, reuse_port=True)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
