"""A thread that writes the log. If nobody reads it, its lines are lost, and the service goes on."""

import atexit
import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from logging.handlers import QueueHandler
from queue import Full, Queue

LINES = 1_000
"""The most lines that wait to be written."""

PATIENCE = 1.0
"""Seconds that the end of the process waits for the last lines."""

Record = logging.LogRecord


class Writer(QueueHandler):
    """Hands records to the `handlers` in a thread of its own, and drops those for which there is no room."""

    queue: "Queue[Record | None]"

    def __init__(self, handlers: Sequence[logging.Handler]) -> None:
        super().__init__(Queue(LINES))
        self._handlers = handlers
        self._lost = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def enqueue(self, record: Record) -> None:
        try:
            self.queue.put_nowait(record)
        except Full:
            self._lost += 1

    def finish(self) -> bool:
        """Write what waits, if somebody reads it soon. Whether that is done."""
        with suppress(Full):
            self.queue.put(None, timeout=PATIENCE)
            self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        while record := self.queue.get():
            self._write(record)
            if self._lost and self.queue.empty():
                lost, self._lost = self._lost, 0
                text = f"{lost} lines of the log are lost: nobody read it"
                self._write(logging.LogRecord(record.name, logging.WARNING, __file__, 0, text, None, None))

    def _write(self, record: Record) -> None:
        for handler in self._handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


def write_apart() -> list[Writer]:
    """From now on a thread writes what the loggers of this process say."""
    names = list(logging.root.manager.loggerDict)
    loggers = [logger for logger in (logging.root, *map(logging.getLogger, names)) if logger.handlers]
    for logger in loggers:
        logger.handlers = [Writer(logger.handlers)]
    writers = [handler for logger in loggers for handler in logger.handlers if isinstance(handler, Writer)]
    atexit.register(_end, writers)
    return writers


def _end(writers: Sequence[Writer]) -> None:
    if not all(writer.finish() for writer in writers):
        os._exit(0)  # else Python would wait to write the rest
