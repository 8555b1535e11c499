"""A real server with two workers, one of which dies."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import httpx
import psutil
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.parser import text_string_to_metric_families

from tests.end_to_end.conftest import free_port, serving, workers

N = 1_024
MANY = {"n": N, "format": "npy"}
COUNTERS = ["faussaire_images_total", "faussaire_requests_total", "faussaire_cpu_seconds_total"]


def metric(url: str, name: str) -> float:
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text)
    return sum(s.value for f in families for s in f.samples if s.name == name)


@contextmanager
def asked_for_many(url: str) -> Iterator[None]:
    """Run clients that each ask for as many images as allowed, one request after the other, of any worker."""
    stop = Event()

    def client() -> None:
        while not stop.is_set():
            try:
                httpx.post(f"{url}/v1/images", json=MANY, timeout=60)
            except httpx.TransportError:
                continue  # the request's worker was killed

    with ThreadPoolExecutor(6) as crowd:
        clients = [crowd.submit(client) for _ in range(6)]
        try:
            yield
        finally:
            stop.set()
    for one in clients:
        one.result()


def waiting_in(worker: psutil.Process, home: Path) -> float:
    """Return the images that wait in one worker or its requests in flight, the smaller number."""
    path = home / "prometheus_multiproc_dir" / f"gauge_livesum_{worker.pid}.db"
    values = {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(path))}  # type: ignore[no-untyped-call]
    rows: float = sum(value for key, value in values.items() if '"faussaire_queue_rows"' in key)
    in_flight: float = sum(value for key, value in values.items() if '"faussaire_requests_in_flight"' in key)
    return min(rows, in_flight)


def kill_while_images_wait_in(worker: psutil.Process, home: Path) -> None:
    for _ in range(100_000):
        worker.send_signal(signal.SIGSTOP)
        if waiting_in(worker, home):
            worker.kill()
            return
        worker.send_signal(signal.SIGCONT)
    raise AssertionError("no image ever waited")


def test_a_killed_worker_leaves_its_counts_and_none_of_its_waiting_images(models_dir: Path, tmp_path: Path) -> None:
    settings = {
        "FAUSSAIRE_DEFAULT_MODEL": "small",
        "FAUSSAIRE_WORKERS": "2",
        "BENTOML_CONTAINERIZED": "1",  # so BentoML does not restart a dead worker
    }
    with serving(models_dir, tmp_path, **settings) as server:
        url = str(server.base_url)
        assert any(metric(url, "faussaire_workers") == 2 for _ in range(3_000))
        limit = metric(url, "faussaire_queue_limit_rows")
        with asked_for_many(url):
            assert any(metric(url, "faussaire_images_total") > 20 * N for _ in range(3_000))
            before = [metric(url, name) for name in COUNTERS]
            kill_while_images_wait_in(workers(models_dir)[0], tmp_path)
            after = [metric(url, name) for name in COUNTERS]
        assert httpx.post(f"{url}/v1/images", json={}).status_code == 200
        assert metric(url, "faussaire_workers") == 1
        assert metric(url, "faussaire_queue_rows") == 0
        assert metric(url, "faussaire_requests_in_flight") == 1  # Prometheus's own
        assert metric(url, "faussaire_queue_limit_rows") == limit / 2
        assert all(later > earlier for earlier, later in zip(before, after, strict=True))
        assert metric(url, "faussaire_build_info") == 1


def test_each_worker_shows_the_metrics_of_all_at_their_own_address(own_models: Path, tmp_path: Path) -> None:
    apart = f"127.0.0.1:{free_port()}"
    settings = {
        "FAUSSAIRE_DEFAULT_MODEL": "small",
        "FAUSSAIRE_WORKERS": "2",
        "FAUSSAIRE_METRICS_ADDRESS": apart,
        "BENTOML_CONTAINERIZED": "1",
    }
    with serving(own_models, tmp_path, **settings) as server:
        assert server.get("/metrics").status_code == 404
        assert any(metric(f"http://{apart}", "faussaire_workers") == 2 for _ in range(3_000))
        workers(own_models)[0].kill()
        answers: list[float] = []
        while not answers:
            with suppress(httpx.TransportError):  # the dead one's connections
                answers.append(metric(f"http://{apart}", "faussaire_workers"))
        assert answers == [1]
