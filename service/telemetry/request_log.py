"""One line of JSON in the log for each request, where it is switched on. Nothing in it says who asked, or what."""

import json
import logging
import sys
import time
from datetime import UTC, datetime

from service.telemetry.observation import Observation


class RequestLog:
    """Writes to standard output, past BentoML's handlers, whose prefix would spoil the JSON."""

    def __init__(self) -> None:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._log = logging.getLogger("faussaire.requests")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._log.handlers = [handler]

    def write(self, request: Observation, trace_id: str | None) -> None:
        told = {
            "time": datetime.fromtimestamp(request.started_ns / 1e9, UTC).isoformat(timespec="milliseconds"),
            "request_id": request.request_id,
            "trace_id": trace_id,
            "route": request.route,
            "status": request.status,
            "model": request.model,
            "images": request.images,
            "milliseconds": round((time.perf_counter() - request.started) * 1e3, 3),
        }
        self._log.info(json.dumps(told))
