"""What Prometheus scrapes: few series, none labelled by anything that a client chooses."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

REQUESTS = Counter("faussaire_requests", "Requests answered, by route and outcome.", ["route", "outcome"])
REQUEST_SECONDS = Histogram(
    "faussaire_request_seconds",
    "From the request's headers to its answer.",
    ["route"],
    buckets=SECONDS,
)
IMAGES = Counter("faussaire_images", "Images drawn.", ["model"])
CACHE_HITS = Counter("faussaire_cache_hits", "Images of GET /v1/image that were encoded before.")
BATCH_ROWS = Histogram("faussaire_batch_rows", "Images that one inference drew.", ["model"], buckets=ROWS)
QUEUE_ROWS = Gauge("faussaire_queue_rows", "Images waiting.", ["model"], multiprocess_mode="livesum")
QUEUE_SECONDS = Histogram(
    "faussaire_queue_seconds", "From submission to the first inference.", ["model"], buckets=SECONDS
)
INFERENCE_SECONDS = Histogram("faussaire_inference_seconds", "One batch's inference.", ["model"], buckets=SECONDS)
ENCODING_SECONDS = Histogram("faussaire_encoding_seconds", "One answer's images to PNG.", ["model"], buckets=SECONDS)
MODEL_INFO = Gauge(
    "faussaire_model_info",
    "1 for each model and digest that is served, 0 for one that was.",  # no worker may forget a series of several
    ["model", "digest"],
    multiprocess_mode="livemax",
)
RELOADS = Counter("faussaire_reloads", "Files of the models folder that changed, by outcome.", ["outcome"])


def scrape() -> bytes:
    """The text format, over all of the server's workers where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
