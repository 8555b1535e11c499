"""One line of JSON in the log for each request, if the operator switches it on. It says neither who asked nor what."""

import json
import logging
import sys
import time
from datetime import UTC, datetime

from service.telemetry.observation import Observation


class RequestLog:
    """Writes to standard output and not by BentoML's handlers: their prefix would spoil the JSON."""

    def __init__(self) -> None:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._log = logging.getLogger("faussaire.requests")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._log.handlers = [handler]

    def write(self, observation: Observation, trace_id: str | None) -> None:
        line = {
            "time": datetime.fromtimestamp(observation.started_ns / 1e9, UTC).isoformat(timespec="milliseconds"),
            "request_id": observation.request_id,
            "trace_id": trace_id,
            "route": observation.route,
            "status": observation.status,
            "key": observation.key,
            "model": observation.model,
            "images": observation.images,
            "milliseconds": round((time.perf_counter() - observation.started) * 1e3, 3),
        }
        self._log.info(json.dumps(line))
