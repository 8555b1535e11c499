import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.telemetry.processes import Cost, forget_dead

PROGRAM = """
import sys
from prometheus_client import Counter, Gauge
Gauge("waiting", "Waiting.", multiprocess_mode="livesum").set(3)
Counter("done", "Done.").inc()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process with metrics, beside whichever asks: both are children of this one's parent or of this one."""
    command = [sys.executable, "-c", PROGRAM]
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def kinds(folder: Path) -> set[str]:
    return {path.name.split("_")[0] for path in folder.iterdir()}


@pytest.fixture
def sibling(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this process were a worker beside the other: it asks as a child of their one parent."""
    monkeypatch.setattr(os, "getppid", os.getpid)


@pytest.mark.usefixtures("sibling")
def test_the_gauges_of_a_worker_stay_while_it_lives_and_go_before_its_parent_has_noticed(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    forget_dead(tmp_path)
    assert kinds(tmp_path) == {"gauge", "counter"}
    worker.kill()
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    forget_dead(tmp_path)
    assert kinds(tmp_path) == {"counter"}
    worker.wait()
    forget_dead(tmp_path)
    assert kinds(tmp_path) == {"counter"}


def test_a_process_that_got_the_number_of_a_dead_worker_is_none(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    forget_dead(tmp_path)  # its parent is this process and not this process's own
    assert worker.poll() is None
    assert kinds(tmp_path) == {"counter"}


@pytest.mark.usefixtures("sibling")
def test_the_processor_time_of_a_worker_is_still_told_when_it_has_gone(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    def told() -> list[float]:
        return [metric.samples[0].value for metric in Cost(tmp_path).collect()]

    memory, seconds = told()
    assert memory > 2**20
    assert seconds > 0
    worker.kill()
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    memory, later = told()
    assert memory == 0
    assert later >= seconds
    worker.wait()
    # Linux rounds user and system time down to its ticks: a sum of two may gain a tick of each.
    ticks = 2 / os.sysconf("SC_CLK_TCK")
    assert told() == [0, pytest.approx(later, abs=1.25 * ticks)]
