"""The service with Prometheus and Alertmanager on this machine: `python -m monitoring.local`."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import yaml

from monitoring.rules import rules

HERE = Path(__file__).parent
HOST = "127.0.0.1"
PATIENCE = 180.0
"""Seconds that a program may take until it answers."""

Configuration = dict[str, Any]


def main() -> None:
    service = f"{os.environ.get('HOST', HOST)}:{os.environ.get('PORT', '3000')}"
    ours = {"BENTOML_HOME": str(HERE.parent / ".bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    host, port = service.rsplit(":", 1)
    command = [str(Path(sys.executable).parent / "bentoml"), "serve", str(HERE.parent), "--host", host, "--port", port]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        alerts = stack.enter_context(alertmanager(folder, 9093, example("alertmanager")))
        graphs = stack.enter_context(prometheus(folder, 9090, set_target(example("prometheus"), service)))
        stack.enter_context(run_program([*command, "--timeout-graceful-shutdown", "20"], folder / "service.log", ours))
        wait_until_ready(f"http://{service}/readyz", folder / "service.log")
        print(f"service http://{service}, Prometheus {graphs}, Alertmanager {alerts}; Ctrl-C stops them", flush=True)
        signal.pause()


def example(name: str) -> Configuration:
    """Read one of the configurations beside this file."""
    loaded: Configuration = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return loaded


def set_target(configuration: Configuration, service: str) -> Configuration:
    """Return the configuration with its one job pointed at the service, `HOST:PORT`."""
    (scrape,) = configuration["scrape_configs"]
    return configuration | {"scrape_configs": [scrape | {"static_configs": [{"targets": [service]}]}]}


@contextmanager
def prometheus(folder: Path, port: int, configuration: Configuration) -> Iterator[str]:
    """Run Prometheus with the service's rules and its data in the folder; yield its URL when it answers."""
    _write(folder / "rules.yaml", rules())
    _write(folder / "prometheus.yaml", configuration)
    options = [f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with _serve(folder, "prometheus", port, options) as url:
        yield url


@contextmanager
def alertmanager(folder: Path, port: int, configuration: Configuration) -> Iterator[str]:
    """Run Alertmanager with its data in the folder; yield its URL when it answers."""
    _write(folder / "alertmanager.yaml", configuration)
    options = [f"--config.file={folder / 'alertmanager.yaml'}", f"--storage.path={folder / 'alerts'}"]
    name = "prometheus-alertmanager" if shutil.which("prometheus-alertmanager") else "alertmanager"  # on Debian
    with _serve(folder, name, port, [*options, "--cluster.listen-address="]) as url:
        yield url


@contextmanager
def run_program(command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program until the context ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | (environment or {}), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def wait_until_ready(url: str, log: Path) -> None:
    """Wait until the URL answers. Raises SystemExit, with the log, if it does not answer within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not _answers(url):
        if time.monotonic() > end:
            raise SystemExit(f"error: {url} did not answer within {PATIENCE:.0f} s; its log:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


@contextmanager
def _serve(folder: Path, program: str, port: int, options: Sequence[str]) -> Iterator[str]:
    path, log, url = shutil.which(program), folder / f"{program}.log", f"http://{HOST}:{port}"
    if path is None:
        packages = "prometheus prometheus-alertmanager"
        raise SystemExit(f"error: {program} is not installed; on Debian, apt-get install {packages}")
    with run_program([path, f"--web.listen-address={HOST}:{port}", *options], log):
        wait_until_ready(f"{url}/-/ready", log)
        yield url


def _write(path: Path, content: Configuration) -> None:
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


if __name__ == "__main__":
    main()
