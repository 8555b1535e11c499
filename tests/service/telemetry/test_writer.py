import logging
import threading
from collections.abc import Iterator

import pytest

from service.telemetry import writer
from service.telemetry.writer import Writer, write_apart


class Stuck(logging.Handler):
    """Holds up its caller until somebody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()
        self.read: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.reads.wait()
        self.read.append(record.getMessage())


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    handler = Stuck()
    yield handler
    handler.reads.set()  # else the tests would never end


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_what_was_lost(
    stuck: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LINES", 10)
    log = logging.getLogger("test.of.a.stuck.log")
    log.propagate = False
    log.handlers = [Writer([stuck])]
    for number in range(100):
        log.warning("line %d", number)
    stuck.reads.set()
    log.handlers[0].finish()  # type: ignore[attr-defined]
    *lines, last = stuck.read
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert 10 <= len(lines) <= 11  # one may be in the writer's hand
    assert last == f"{100 - len(lines)} lines of the log are lost: nobody read it"


def test_the_end_does_not_wait_for_ever(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 0.01)
    handler = Writer([stuck])
    handler.handle(logging.makeLogRecord({"msg": "one", "levelno": logging.INFO}))
    assert not handler.finish()
    assert stuck.read == []


def test_every_logger_is_written_apart_and_levels_hold(stuck: Stuck) -> None:
    stuck.reads.set()
    stuck.setLevel(logging.WARNING)
    log = logging.getLogger("test.of.the.writer")
    log.handlers = [stuck]
    log.propagate = False
    loggers = [logging.root] + [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    before = [logger.handlers for logger in loggers]
    try:
        writers = write_apart()
        log.error("%s is shown", "this")
        log.info("this is not")
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers = handlers
    assert all(each.finish() for each in writers)
    assert stuck.read == ["this is shown"]
