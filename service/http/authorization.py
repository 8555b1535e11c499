"""Which requests have a key, and what they are told of what it may still draw."""

from collections.abc import Callable

from service.access.account import Account
from service.errors import KeyExpired, KeyRequired, UnknownKey
from service.http.request import Headers, Request

KEYED = ("/v1/", "/v2/models/")
"""The beginnings of the addresses that need a key. Probes, metrics and pages need none."""

BEARER = "bearer "


class Authorization:
    """Lets requests pass by their keys. `find` gives the account of a secret."""

    def __init__(self, find: Callable[[str], Account | None]) -> None:
        self._find = find

    def admit(self, request: Request) -> None:
        """Raises KeyRequired, UnknownKey and KeyExpired."""
        if not request.path.startswith(KEYED):
            return
        secret = _secret_of(request)
        if secret is None:
            raise KeyRequired
        account = self._find(secret)
        if account is None:
            raise UnknownKey
        request.account, request.observation.key = account, account.name
        if account.has_expired:
            assert account.key.expires is not None
            raise KeyExpired(account.name, account.key.expires)

    def headers(self, request: Request) -> Headers:
        """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), counted in images."""
        account = request.account
        if account is None or not account.is_limited:
            return []
        left = [f'"{name}";r={int(images)};t={seconds}' for name, images, seconds in account.left()]
        return [
            (b"ratelimit-policy", account.policy),
            (b"ratelimit", ", ".join(left).encode("ascii")),
        ]


def _secret_of(request: Request) -> str | None:
    """The secret of `Authorization: Bearer SECRET`, or of `X-Api-Key: SECRET`."""
    given = request.header(b"authorization")
    if given is not None and given[: len(BEARER)].lower() == BEARER:
        return given[len(BEARER) :].strip()
    return request.header(b"x-api-key")
