"""What can be wrong with a request, with a file in the models folder, or with a setting."""

from collections.abc import Iterator
from contextlib import contextmanager


class InvalidModel(Exception):
    """A file that cannot be served; the message names it and what is wrong."""


class InvalidSetting(Exception):
    """An environment variable that cannot be followed; the message names it and what would be right."""


class RequestError(Exception):
    """Becomes an RFC 9457 problem: `status`, the stable `slug` of its type, the `field` at fault."""

    status = 422
    slug = "invalid-request"
    title = "The request is not valid"

    def __init__(self, field: str | None, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail
        self.headers: dict[str, str] = {}
        """What the answer carries besides."""


@contextmanager
def within(field: str) -> Iterator[None]:
    """What is wrong in here is wrong in that field: its own field's path begins there."""
    try:
        yield
    except RequestError as error:
        error.field = field if error.field is None else f"{field}.{error.field}"
        raise


class UnknownModel(RequestError):
    status = 404
    slug = "unknown-model"
    title = "There is no such model"


class OtherVersion(RequestError):
    status = 404
    slug = "other-version"
    title = "The model is served in another version"


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
    title = "The classes cannot be blended so"


class InvalidNoise(RequestError):
    slug = "invalid-noise"
    title = "The noise is not what the model takes"


class IndexTooLarge(RequestError):
    slug = "index-too-large"
    title = "There are no images so far on"


class FieldConflict(RequestError):
    slug = "field-conflict"
    title = "Two fields of the request exclude each other"


class ScaleTooLarge(RequestError):
    slug = "scale-too-large"
    title = "The answer would have too many pixels"


class NothingAccepted(RequestError):
    status = 406
    slug = "nothing-accepted"
    title = "None of the formats that there are is accepted"


class EveryItemFailed(RequestError):
    slug = "every-item-failed"
    title = "None of the items can be drawn"


class TooManyImages(RequestError):
    slug = "too-many-images"
    title = "More images were asked for than one request may have"


class BodyTooLarge(RequestError):
    status = 413
    slug = "body-too-large"
    title = "The request body is too large"


class QueueFull(RequestError):
    status = 429
    slug = "queue-full"
    title = "Too many images are waiting"
    full = "The queue is full"

    def __init__(self, retry_after: int) -> None:
        super().__init__(None, f"{self.full}; try again in {retry_after} s.")
        self.retry_after = retry_after
        self.headers["Retry-After"] = str(retry_after)


class NotAnImage(RequestError):
    status = 415
    slug = "not-an-image"
    title = "The body is not an image of a kind that is read"


class BrokenImage(RequestError):
    slug = "broken-image"
    title = "The image cannot be read to its end"


class TooManyPixels(RequestError):
    slug = "too-many-pixels"
    title = "The image has too many pixels"


class SheetOfImages(RequestError):
    slug = "sheet-of-images"
    title = "The image is a sheet of several"


class NoRecogniser(RequestError):
    slug = "no-recogniser"
    title = "The model has no recogniser"


class BlankImage(RequestError):
    slug = "blank-image"
    title = "Nothing is drawn in the image"


class InvalidDataset(RequestError):
    slug = "invalid-dataset"
    title = "There is no such data set"


class TooManyStreams(QueueFull):
    slug = "too-many-streams"
    title = "Too many data sets are on their way"
    full = "As many data sets as may be are on their way"
