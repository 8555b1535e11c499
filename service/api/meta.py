"""Endpoints about the service itself: metrics and documentation."""

from fastapi import Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST

from service.telemetry import metrics


async def scrape() -> Response:
    return Response(metrics.scrape(), media_type=CONTENT_TYPE_LATEST)


async def docs() -> HTMLResponse:
    # BentoML has the files of the user interface and serves them: the page loads nothing from elsewhere.
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Faussaire",
        swagger_js_url="/static_content/swagger-ui-bundle.js",
        swagger_css_url="/static_content/swagger-ui.css",
        swagger_favicon_url="/static_content/favicon-light-32x32.png",
    )


async def root() -> RedirectResponse:
    return RedirectResponse("/docs")
