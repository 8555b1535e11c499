"""`GET /` and `GET /page/{name}`: the playground, a page of HTML, CSS and JavaScript that calls this API alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from gzip import compress
from hashlib import sha256
from pathlib import Path

from service.errors import NotFound
from service.http.headers import NO_REFERRER, OWN_PAGES, names_etag, quality
from service.http.operation import Handle, Operation
from service.http.request import Answer, Headers, Request
from service.settings import ROOT

FOLDER = ROOT / "service" / "page"
FIRST = "index.html"

MEDIA_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}

POLICY = (
    b"default-src 'none'; "
    b"script-src 'self'; "
    b"style-src 'self'; "
    b"connect-src 'self'; "
    b"img-src 'self' blob:; "
    b"base-uri 'none'; "
    b"form-action 'none'; "
    b"frame-ancestors 'self'"
)
"""The page loads and calls what this service serves, and nothing else. It may show a file that the visitor chose."""

SECURITY: Headers = [
    (b"content-security-policy", POLICY),
    NO_REFERRER,
    OWN_PAGES,
]

ASK_AGAIN = (b"cache-control", b"no-cache")
"""Files of two versions of the page must never mix: a browser asks again, and gets 304."""


VARY = (b"vary", b"Accept-Encoding")


@dataclass(frozen=True)
class File:
    """A file of the page, as it is and compressed."""

    plain: Answer
    packed: Answer


def operations() -> tuple[Operation, ...]:
    """The page's files are read now, once."""
    files = {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES}
    return (
        Operation("/", _show(files), listed=False),
        Operation("/page/{name}", _send(files), listed=False),
    )


def _read(path: Path) -> File:
    content = path.read_bytes()
    packed = compress(content, mtime=0)
    return File(_answer(path, content), _answer(path, packed, (b"content-encoding", b"gzip")))


def _answer(path: Path, content: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    etag = f'"{sha256(content).hexdigest()}"'.encode("ascii")
    return Answer(content, MEDIA_TYPES[path.suffix], [(b"etag", etag), ASK_AGAIN, VARY, *headers, *SECURITY])


def _show(files: Mapping[str, File]) -> Handle:
    async def show_page(request: Request, _: None) -> Answer:
        return _choose(request, files[FIRST])

    return show_page


def _send(files: Mapping[str, File]) -> Handle:
    async def send_file(request: Request, name: str) -> Answer:
        if name not in files:
            raise NotFound
        return _choose(request, files[name])

    return send_file


def _choose(request: Request, file: File) -> Answer:
    """The file in the encoding that the client takes, or 304 if the client has it."""
    accepted = request.header(b"accept-encoding")
    answer = file.packed if accepted and quality(accepted, "gzip") else file.plain
    etag = dict(answer.headers)[b"etag"].decode("ascii")
    if names_etag(request.header(b"if-none-match") or "", etag):
        return Answer(headers=answer.headers, status=304)
    return answer
