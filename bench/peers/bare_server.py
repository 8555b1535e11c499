"""The least that a request costs under uvicorn: `uvicorn bench.peers.bare_server:app`."""

from service.http.asgi import Receive, Scope, Send

CONTENT = bytes(480)
HEADERS = [(b"content-type", b"image/png"), (b"content-length", b"480")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": CONTENT})
