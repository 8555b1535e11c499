"""What can be wrong with a request, with a file of the models folder, or with a setting."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

URN = "urn:faussaire:problem:"

Problem = dict[str, Any]
"""The members of an RFC 9457 problem."""


class InvalidModel(Exception):
    """A file that the service cannot serve. The message names the file and the fault."""


class Unsigned(InvalidModel):
    """No trusted key has signed the file as it is."""


class InvalidSetting(Exception):
    """An environment variable that the service cannot follow. The message names the variable and a right value."""


class RequestError(Exception):
    """A fault of a request. It becomes an RFC 9457 problem: `status`, the `slug` of its type, the `field` at fault."""

    status = 422
    slug = "invalid-request"
    title = "The request is not valid"

    def __init__(self, field: str | None, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail
        self.headers: dict[str, str] = {}
        """Further headers of the answer."""

    def problem(self) -> Problem:
        members: Problem = {"type": URN + self.slug, "title": self.title, "status": self.status, "detail": self.detail}
        return members if self.field is None else members | {"field": self.field}


@contextmanager
def within(field: str) -> Iterator[None]:
    """Put `field` before the field's path of any RequestError that the block raises."""
    try:
        yield
    except RequestError as error:
        error.field = field if error.field is None else f"{field}.{error.field}"
        raise


class InvalidField(RequestError):
    slug = "invalid-field"
    title = "A field of the request is not valid"


class InvalidJson(RequestError):
    status = 400
    slug = "invalid-json"
    title = "The body is not JSON"


class Malformed(RequestError):
    """It is not known which request it was: the connection ends."""

    status = 400
    slug = "malformed-request"
    title = "What came is not a request of HTTP/1.1"

    def __init__(self) -> None:
        super().__init__(
            None, "Send a request line, headers with one Host, and a body of one length, as RFC 9112 has them."
        )


class HeadTooLarge(RequestError):
    status = 431
    slug = "head-too-large"
    title = "The headers of the request are too large"

    def __init__(self, most: int) -> None:
        super().__init__(None, f"Send at most {most} bytes of address and headers.")


class HeadTooSlow(RequestError):
    status = 408
    slug = "head-too-slow"
    title = "The headers of the request came too slowly"

    def __init__(self, seconds: float) -> None:
        super().__init__(None, f"Send them within {seconds:g} s.")


class KeyRequired(RequestError):
    status = 401
    slug = "key-required"
    title = "The request has no key"

    def __init__(self) -> None:
        super().__init__("Authorization", "Send 'Authorization: Bearer KEY'; whoever runs the service gives keys.")
        self.headers["WWW-Authenticate"] = "Bearer"


class UnknownKey(RequestError):
    status = 401
    slug = "unknown-key"
    title = "The service does not know the key"

    def __init__(self) -> None:
        super().__init__("Authorization", "Ask whoever runs the service for a key.")
        self.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'


class KeyExpired(RequestError):
    status = 403
    slug = "key-expired"
    title = "The key has expired"

    def __init__(self, name: str, expired: datetime) -> None:
        moment = expired.astimezone(UTC).isoformat(timespec="seconds")
        super().__init__("Authorization", f"The key '{name}' was valid until {moment}; ask for another.")


class NotFound(RequestError):
    status = 404
    slug = "not-found"
    title = "There is nothing at this address"

    def __init__(self) -> None:
        super().__init__(None, "See /docs for the addresses.")


class MethodNotAllowed(RequestError):
    status = 405
    slug = "method-not-allowed"
    title = "The address does not take this method"

    def __init__(self, allowed: list[str]) -> None:
        super().__init__(None, f"Use {' or '.join(allowed)}.")
        self.headers["Allow"] = ", ".join(allowed)


class UnknownModel(RequestError):
    status = 404
    slug = "unknown-model"
    title = "There is no such model"


class OtherVersion(RequestError):
    status = 404
    slug = "other-version"
    title = "The service does not have this version of the model"


class UnknownClass(RequestError):
    slug = "unknown-class"
    title = "The model has no such class"


class UnknownStyle(RequestError):
    slug = "unknown-style"
    title = "The model has no such style code"


class StyleOutOfRange(RequestError):
    slug = "style-out-of-range"
    title = "A style code is out of its range"


class InvalidBlend(RequestError):
    slug = "invalid-blend"
    title = "The blend of classes is not valid"


class InvalidNoise(RequestError):
    slug = "invalid-noise"
    title = "The noise is not valid for the model"


class IndexTooLarge(RequestError):
    slug = "index-too-large"
    title = "The index is too large"


class FieldConflict(RequestError):
    slug = "field-conflict"
    title = "Two fields of the request exclude each other"


class ScaleTooLarge(RequestError):
    slug = "scale-too-large"
    title = "The answer would have too many pixels"


class NothingAccepted(RequestError):
    status = 406
    slug = "nothing-accepted"
    title = "The request accepts none of the formats"


class EveryItemFailed(RequestError):
    slug = "every-item-failed"
    title = "The service can draw none of the items"


class TooManyImages(RequestError):
    slug = "too-many-images"
    title = "The request asks for too many images"


class BodyTooLarge(RequestError):
    status = 413
    slug = "body-too-large"
    title = "The request body is too large"


class UnsupportedCoding(RequestError):
    status = 415
    slug = "unsupported-coding"
    title = "The request body is compressed"

    def __init__(self) -> None:
        super().__init__("Content-Encoding", "Send the body as it is, without Content-Encoding.")
        self.headers["Accept-Encoding"] = "identity"


class BodyTooSlow(RequestError):
    status = 408
    slug = "body-too-slow"
    title = "The request body came too slowly"

    def __init__(self, seconds: float) -> None:
        super().__init__("body", f"Send it within {seconds:g} s.")


class QueueFull(RequestError):
    status = 429
    slug = "queue-full"
    title = "Too many images are waiting"
    cause = "The queue is full"

    def __init__(self, retry_after: int) -> None:
        super().__init__(None, f"{self.cause}; try again in {retry_after} s.")
        self.retry_after = retry_after
        self.headers["Retry-After"] = str(retry_after)


class RateExceeded(RequestError):
    status = 429
    slug = "rate-exceeded"
    title = "The key draws too many images a second"

    def __init__(self, name: str, seconds: int) -> None:
        super().__init__(None, f"The key '{name}' may draw so many images in {seconds} s.")
        self.headers["Retry-After"] = str(seconds)


class QuotaSpent(RequestError):
    status = 429
    slug = "quota-spent"
    title = "The key has too few images left today"

    def __init__(self, name: str, left: int, seconds: int) -> None:
        super().__init__(None, f"The key '{name}' has {left} images left, until midnight UTC in {seconds} s.")
        self.headers["Retry-After"] = str(seconds)


class NotAnImage(RequestError):
    status = 415
    slug = "not-an-image"
    title = "The body is not an image in a format that the service reads"


class BrokenImage(RequestError):
    slug = "broken-image"
    title = "The image is damaged"


class TooManyPixels(RequestError):
    slug = "too-many-pixels"
    title = "The image has too many pixels"


class SheetOfImages(RequestError):
    slug = "sheet-of-images"
    title = "The image is a sheet of several images"


class NoRecogniser(RequestError):
    slug = "no-recogniser"
    title = "The model has no recogniser"


class BlankImage(RequestError):
    slug = "blank-image"
    title = "The image shows nothing"


class UnclearImage(RequestError):
    slug = "unclear-image"
    title = "The image does not clearly show one drawing"


class InvalidDataset(RequestError):
    slug = "invalid-dataset"
    title = "There is no such data set"


class RangeNotSatisfiable(RequestError):
    status = 416
    slug = "range-not-satisfiable"
    title = "The file has no such bytes"

    def __init__(self, size: int) -> None:
        super().__init__("Range", f"The file has {size} bytes, from 0 to {size - 1}.")
        self.headers["Content-Range"] = f"bytes */{size}"


class TooManyStreams(QueueFull):
    slug = "too-many-streams"
    title = "The service is sending too many data sets"
    cause = "The service sends no more data sets at a time"


class TooManyConnections(QueueFull):
    slug = "too-many-connections"
    title = "There are too many connections"
    cause = "The service takes no more connections, of yours or of all"


class TimedOut(RequestError):
    status = 504
    slug = "timed-out"
    title = "The answer took too long"

    def __init__(self) -> None:
        super().__init__(None, "The service gave the request up; ask for fewer images, or again later.")


class Unexpected(RequestError):
    """An error that nobody foresaw: the log has it, the client gets none of it."""

    status = 500
    slug = "internal"
    title = "Internal server error"

    def __init__(self) -> None:
        super().__init__(None, "The server failed. The same request may succeed later.")
