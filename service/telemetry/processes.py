"""The worker processes: children of one supervisor. Any of them may answer Prometheus for all."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.registry import Collector

METRICS = re.compile(r"\w+_(\d+)\.db")


class Worker(NamedTuple):
    """A process at one moment. A dead one that its parent has not noticed yet has a memory of 0."""

    pid: int
    lives: bool
    memory: int
    seconds: float


class Cost(Collector):
    """Memory and processor time of all workers together. `folder` has their metrics, if there may be several."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        workers = list(_workers({os.getpid()} if self._folder is None else _pids(self._folder)))
        memory = sum(worker.memory for worker in workers)
        yield GaugeMetricFamily("faussaire_memory_bytes", "Resident memory of the processes that serve.", memory)
        seconds = sum(worker.seconds for worker in workers)
        if self._folder is not None:  # the parent has the processor time of the workers that ended
            ended = psutil.Process(os.getppid()).cpu_times()
            seconds += ended.children_user + ended.children_system
        yield CounterMetricFamily("faussaire_cpu_seconds", "Processor time of the processes that serve.", seconds)


def forget_dead(folder: Path) -> None:
    """Drop the gauges of dead workers: nothing waits in them any more, and BentoML does not drop them."""
    pids = _pids(folder)
    for pid in pids - {worker.pid for worker in _workers(pids) if worker.lives}:
        with suppress(FileNotFoundError):  # another worker dropped them first
            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def _pids(folder: Path) -> set[int]:
    """The process ids of all workers, dead ones too."""
    return {int(match[1]) for path in folder.iterdir() if (match := METRICS.fullmatch(path.name))}


def _workers(pids: set[int]) -> Iterator[Worker]:
    """The children of our own parent: another process may have the number of a dead worker by now."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.ppid() == os.getppid():
                times = process.cpu_times()
                lives = process.status() != psutil.STATUS_ZOMBIE
                yield Worker(pid, lives, process.memory_info().rss, times.user + times.system)
