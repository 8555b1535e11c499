"""What Prometheus scrapes: few series, none labelled by anything that a client chooses."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path

import onnxruntime
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

from latent import VERSION
from service.telemetry.processes import Cost, forget_dead
from service.telemetry.space import reserve_space
from service.telemetry.tally import Tally

SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

REQUESTS = Counter(
    "faussaire_requests",
    "Requests that the service answered, by route, outcome and model.",
    ["route", "outcome", "model"],
)
REQUEST_SECONDS = Histogram(
    "faussaire_request_seconds",
    "Seconds from the headers of a request to the start of its answer.",
    ["route"],
    buckets=SECONDS,
)
IN_FLIGHT = Gauge(
    "faussaire_requests_in_flight",
    "Requests in flight, until the last byte of the answer.",
    multiprocess_mode="livesum",
)
VERSION_REQUESTS = Counter(
    "faussaire_version_requests",
    "Requests that the service answered, by model, role of the version and outcome.",
    ["model", "role", "outcome"],
)
KEY_REQUESTS = Counter(
    "faussaire_key_requests", "Requests with a key that the service answered, by key and outcome.", ["key", "outcome"]
)
KEY_IMAGES = Counter("faussaire_key_images", "Images that the keys were charged for, by key.", ["key"])
PROBLEMS = Counter("faussaire_problems", "Errors that the service answered, by the type of the problem.", ["type"])
IMAGES = Counter("faussaire_images", "Images that the service drew, by model.", ["model"])
CACHE_HITS = Counter("faussaire_cache_hits", "Images that GET /v1/image answered from memory.")
BATCH_ROWS = Histogram("faussaire_batch_rows", "Images in one batch.", ["model"], buckets=ROWS)
QUEUE_ROWS = Gauge(
    "faussaire_queue_rows", "Images that wait in the queue of a model.", ["model"], multiprocess_mode="livesum"
)
QUEUE_LIMIT_ROWS = Gauge(
    "faussaire_queue_limit_rows", "Images that may wait for one model.", multiprocess_mode="livesum"
)
QUEUE_SECONDS = Histogram(
    "faussaire_queue_seconds",
    "Seconds that a request waits in the queue for its first batch.",
    ["model"],
    buckets=SECONDS,
)
INFERENCE_SECONDS = Histogram(
    "faussaire_inference_seconds", "Seconds of the inference of one batch.", ["model"], buckets=SECONDS
)
ENCODING_SECONDS = Histogram(
    "faussaire_encoding_seconds", "Seconds to encode the images of one answer.", ["model"], buckets=SECONDS
)
MODEL_INFO = Gauge(
    "faussaire_model_info",
    # One worker of several cannot drop a series that the others may have, and so sets it to 0.
    "1 for each version that the service serves now, by model and digest; 0 for an earlier version.",
    ["model", "digest"],
    multiprocess_mode="livemax",
)
MODEL_WRITTEN = Gauge(
    "faussaire_model_written_timestamp_seconds",
    "Unix time at which the file of a model was written; 0 if the model is no longer served.",
    ["model"],
    multiprocess_mode="livemax",
)
FILES_UNSIGNED = Gauge(
    "faussaire_files_unsigned",
    "Files in the models folder that the service refuses because no trusted key has signed them as they are.",
    multiprocess_mode="livemax",
)
RELOADS = Counter("faussaire_reloads", "Changes of files in the models folder, by outcome.", ["outcome"])
FILES_REFUSED = Gauge(
    "faussaire_files_refused",
    "Files in the models folder that the service does not serve in their present state.",
    multiprocess_mode="livemax",
)
WORKERS = Gauge("faussaire_workers", "Processes that serve.", multiprocess_mode="livesum")
BUILD_INFO = Gauge(
    "faussaire_build_info",
    "Always 1; the labels are the versions of Faussaire, Python and ONNX Runtime.",
    ["version", "python", "onnxruntime"],
    multiprocess_mode="livemax",
)
REGISTRY.register(Cost(None))

_tally = Tally()
count, observe, writing = _tally.count, _tally.observe, _tally.writing
"""For what happens at each request."""


def begin(problem_types: Iterable[str], queue_limit: int) -> None:
    """Say what does not change while a process serves, and count from 0: the first of a kind is an increase too."""
    BUILD_INFO.labels(VERSION, platform.python_version(), onnxruntime.__version__).set(1)
    WORKERS.set(1)
    QUEUE_LIMIT_ROWS.set(queue_limit)
    for outcome in ("taken", "removed", "refused"):
        RELOADS.labels(outcome)
    for name in problem_types:
        PROBLEMS.labels(name)


def begin_model(name: str) -> None:
    """Count from 0 for a model that nobody has asked for yet."""
    IMAGES.labels(name)
    QUEUE_ROWS.labels(name)
    for histogram in (BATCH_ROWS, QUEUE_SECONDS, INFERENCE_SECONDS, ENCODING_SECONDS):
        histogram.labels(name)


def begin_key(name: str) -> None:
    """Count from 0 for a key that nobody has used yet."""
    KEY_IMAGES.labels(name)


def reserve() -> None:
    """Take the disk space of what this process counts, so that a disk that fills up does not end it."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        reserve_space(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))


def scrape() -> bytes:
    """The text format, over all of the server's workers where there are several."""
    _tally.write()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    forget_dead(folder)
    registry = CollectorRegistry()
    registry.register(Cost(folder))
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
