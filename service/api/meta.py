"""Endpoints about the service itself: metrics and documentation."""

import json
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from service.http.headers import NO_REFERRER, OWN_PAGES
from service.http.operation import Handle
from service.http.request import Answer, Headers, Request
from service.telemetry import metrics

HTML = b"text/html; charset=utf-8"

# BentoML has the files of the user interface and serves them: the page loads nothing from elsewhere. Its addresses are
# relative, so that it works behind a prefix.
DOCS = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Faussaire</title>
<link rel="icon" href="static_content/favicon-light-32x32.png">
<link rel="stylesheet" href="static_content/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true})</script>
</body>
</html>
"""


POLICY = (
    b"default-src 'none'; "
    b"script-src 'self' 'sha256-R2EnFq4m247NZz2oMf15wUdT5Mx9YNkVhPJkBv0nGII='; "
    b"style-src 'self'; "
    b"connect-src 'self'; "
    b"img-src 'self' blob: data:; "
    b"base-uri 'none'; "
    b"form-action 'none'; "
    b"frame-ancestors 'self'"
)
"""The digest is that of the script in DOCS."""

DOCS_HEADERS: Headers = [(b"content-security-policy", POLICY), NO_REFERRER, OWN_PAGES]


async def answer_probe(_: Request, __: None) -> Answer:
    """The server listens once the models are open, and no longer when it ends: who answers lives and is ready."""
    return Answer(b"\n", b"text/plain")


async def scrape(_: Request, __: None) -> Answer:
    return Answer(metrics.scrape(), CONTENT_TYPE_LATEST.encode("ascii"), [OWN_PAGES])


async def show_docs(request: Request, _: None) -> Answer:
    """Its links are relative, so that it works behind a path prefix too."""
    if request.scope["path"].endswith("/"):
        return Answer(headers=[(b"location", b"../docs")], status=307)
    return Answer(DOCS, HTML, DOCS_HEADERS)


def document_of(described: dict[str, Any]) -> Handle:
    """An operation that answers with a document."""
    content = json.dumps(described).encode("ascii")

    async def describe(_: Request, __: None) -> Answer:
        return Answer(content, b"application/json", [OWN_PAGES])

    return describe
