"""Plants a leak in the server that the soak's control run starts: each request keeps four kilobytes for ever."""

from typing import Any

from service.http.request import Request

_kept: list[bytearray] = []
_honest = Request.__init__


def _leak(self: Request, *arguments: Any) -> None:
    _kept.append(bytearray(4096))
    _honest(self, *arguments)


Request.__init__ = _leak  # type: ignore[assignment,method-assign]
