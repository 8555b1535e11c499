"""The headers by which a client says what it wants, and those by which a browser is told what it may."""

import re
from collections.abc import Sequence

from service.errors import RangeNotSatisfiable

RANGE = re.compile(r"bytes *= *(\d*) *- *(\d*)", re.ASCII)
LONGEST = 20
"""Digits of a number in `Range`."""

NO_REFERRER = (b"referrer-policy", b"no-referrer")
"""Who follows a link from the page does not tell where from: the page's address has what was drawn."""

OWN_PAGES = (b"cross-origin-resource-policy", b"same-origin")
"""Pages of other origins may not embed this answer: their visitor may reach a service that they do not."""

ANY_PAGE = (b"cross-origin-resource-policy", b"cross-origin")
"""Any page may embed this answer."""


def choose_media_type(accept: str, offered: Sequence[str]) -> str | None:
    """The media type that `Accept` likes most; of equals the first offered; None if it accepts none."""
    best = max(offered, key=lambda media_type: quality(accept, media_type))
    return best if quality(accept, best) else None


def quality(accept: str, media_type: str) -> float:
    """How much `Accept` likes a media type, from 0 (not acceptable) to 1 (RFC 9110, section 12.5.1).

    The most specific range that fits decides. An empty header accepts everything.
    """
    if not accept.strip(" ,"):
        return 1.0
    specificity = {media_type: 3, media_type.split("/")[0] + "/*": 2, "*/*": 1}
    found = [(specificity[kind], weight) for kind, weight in map(_range, accept.split(",")) if kind in specificity]
    return max(found, default=(0, 0.0))[1]


def names_etag(if_none_match: str, etag: str) -> bool:
    """Whether `If-None-Match` names the ETag (RFC 9110, section 13.1.2): in a list, weak or strong, or as `*`."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags


def choose_range(asked: str, size: int) -> tuple[int, int] | None:
    """The first byte of `Range` and the byte behind its last (RFC 9110, section 14.2), of a file of `size` bytes.

    None if the header is not one range of bytes: the whole file is then the answer. Raises RangeNotSatisfiable.
    """
    found = RANGE.fullmatch(asked.strip())
    if found is None or not any(found.groups()) or max(map(len, found.groups())) > LONGEST:
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable(size)
    return start, stop


def _range(part: str) -> tuple[str, float]:
    """A media range and its quality, 0 if the quality is not valid."""
    kind, *parameters = [piece.strip().lower() for piece in part.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            return kind, _weight(value)
    return kind, 1.0


def _weight(value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
