"""Which pages of other origins may use the service (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from service.http.request import Answer, Headers, Request

METHODS = b"GET, HEAD, POST"
ASKED = (
    b"Content-Type, If-None-Match, Range, If-Range, X-Request-Id, Faussaire-Canary, Authorization, X-Api-Key, "
    b"Inference-Header-Content-Length"
)
SHOWN = (
    b"Accept-Ranges, Content-Range, ETag, Inference-Header-Content-Length, RateLimit, RateLimit-Policy, Retry-After, "
    b"Server-Timing, X-Request-Id, "
    + b", ".join(b"Faussaire-" + name for name in (b"Failed", b"Index", b"Model", b"Seed"))
)
KEPT = b"86400"
"""Seconds for which a browser keeps what it was told; many browsers keep it for less."""


class Cors:
    """Allows some origins, or `*`: all of them. No cookie is ever asked for, so a page has only what anybody has."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = origins

    def preflight(self, request: Request) -> Answer | None:
        """The answer to a browser that asks whether it may ask; None to any other request."""
        if request.scope["method"] != "OPTIONS" or request.header(b"access-control-request-method") is None:
            return None
        if self._allowed(request) is None:
            return Answer(status=204)
        more = [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", ASKED),
            (b"access-control-max-age", KEPT),
        ]
        return Answer(headers=more, status=204)

    def headers(self, request: Request) -> Headers:
        """Those of every answer."""
        allowed = self._allowed(request)
        told: Headers = [] if "*" in self._origins else [(b"vary", b"Origin")]
        if allowed is None:
            return told
        return [*told, (b"access-control-allow-origin", allowed), (b"access-control-expose-headers", SHOWN)]

    def _allowed(self, request: Request) -> bytes | None:
        if "*" in self._origins:
            return b"*"
        origin = request.header(b"origin")
        return origin.encode("latin-1") if origin in self._origins else None
