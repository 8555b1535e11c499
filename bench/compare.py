"""The service beside its peers, at the same task: `make bench-serve`.

Every server has the same ONNX file and gives the same PNG, byte for byte. Server and load have a core each. In each
round each server is started, asked and stopped; figures are medians over the rounds with the least and the most, and
ratios are taken within a round. CPU time is that of all processes of a server.
"""

import argparse
import io
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import psutil
from PIL import Image

from bench.peers.drawing import Drawing

ROOT = Path(__file__).parents[1]
SERVER_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32
MOST_ROWS = 4096
"""Images that are asked for at a time, by fewer connections if need be: no server's queue is then full."""
OURS = "faussaire"
BODY = {"class": "7", "seed": 5, "style": [0.5, -0.5], "n": 1}

PEERS = ("mosec", "fastapi", "uvicorn", "litserve", "bentoml", "onnxruntime")

BARE = "bare"
"""uvicorn and a function that reads the body and answers 480 bytes: no server in Python is cheaper."""


RECORDED = 8.0
"""Our CPU time a request for one image to that of the bare function, when it was last measured: 6.9 to 8.4."""


@dataclass(frozen=True)
class Figures:
    """Of one server in one round."""

    requests: float
    """A second."""
    cpu: float
    """Microseconds a request."""
    p50: float
    """Milliseconds."""
    p99: float


Results = dict[int, dict[str, list[Figures]]]
"""By images a request and server, one for each round."""


def main() -> None:
    asked = _arguments()
    results: Results = {images: {} for images in asked.images}
    for _ in range(asked.rounds):
        for name in asked.only or servers_of(asked.python, asked.peers_python):
            for images, figures in measure(name, asked).items():
                results[images].setdefault(name, []).append(figures)
    print(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{_versions(asked.python, 'bentoml')} serve ours; the peers are {_versions(asked.peers_python, *PEERS)}")
    print(f"{CONNECTIONS} connections, or fewer for {MOST_ROWS} images at a time")
    for images, by_server in results.items():
        print_table(images, by_server)
    if asked.check:
        check_ratio(results[asked.images[0]])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=ROOT / ".venv/serve/bin/python", help="Ours.")
    parser.add_argument("--peers-python", type=Path, default=ROOT / ".venv/peers/bin/python")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--images", type=lambda text: [int(n) for n in text.split(",")], default=[1, 8, 64, 512])
    parser.add_argument("--only", type=lambda text: text.split(","), help="Names of servers.")
    parser.add_argument("--check", action="store_true", help="Fail if a request costs twice what it did.")
    return parser.parse_args()


def servers_of(our_python: Path, peers_python: Path) -> dict[str, tuple[list[str], str]]:
    """The command that starts each server at a port, and the path that it draws at."""
    ours, peers, drawing = str(our_python), str(peers_python), "/v1/images"
    uvicorn = ["-m", "uvicorn", "--log-level", "critical", "--no-access-log", "--port", "PORT"]
    return {
        OURS: ([ours, "-m", "bentoml", "serve", ".", "--host", "127.0.0.1", "--port", "PORT"], drawing),
        "mosec": ([peers, "-m", "bench.peers.mosec_server", "--port", "PORT"], "/inference"),
        "FastAPI": ([peers, *uvicorn, "bench.peers.fastapi_server:app"], drawing),
        "LitServe": ([peers, "-m", "bench.peers.litserve_server", "PORT"], drawing),
        "BentoML": ([peers, "-m", "bentoml", "serve", "bench.peers.bentoml_server:Draw", "--port", "PORT"], drawing),
        BARE: ([peers, *uvicorn, "bench.peers.bare_server:app"], drawing),
    }


def measure(name: str, asked: argparse.Namespace) -> dict[int, Figures]:
    """Start a server, check what it answers, and load it with requests for so many images each."""
    command, path = servers_of(asked.python, asked.peers_python)[name]
    with started(command) as (process, url):
        check(name, url + path)
        sizes = asked.images if name != BARE else asked.images[:1]
        return {images: load(process, url, path, images, asked.seconds) for images in sizes}


@contextmanager
def started(
    command: list[str], cores: Sequence[int] = (SERVER_CORE,), log: Path = Path(os.devnull), **settings: str
) -> Iterator[tuple[psutil.Process, str]]:
    """A server's process and its URL. It may use these cores; `settings` are environment variables."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    with tempfile.TemporaryDirectory() as home, log.open("w") as output:
        process = subprocess.Popen(
            [
                "taskset",
                "--cpu-list",
                ",".join(map(str, cores)),
                *(port if part == "PORT" else part for part in command),
            ],
            cwd=ROOT,
            env=os.environ | {"BENTOML_HOME": home, "BENTOML_DO_NOT_TRACK": "True", "PYTHONPATH": str(ROOT)} | settings,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # LitServe leaves its workers behind


def wait_for(url: str) -> None:
    """Wait until our server is ready."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=10), timeout=60) as client:
        client.get(f"{url}/readyz").raise_for_status()


def check(name: str, url: str) -> None:
    """Wait for the server, and compare its answers: one image with ours byte for byte, a sheet by its pixels."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=10), timeout=60) as client:
        for _ in range(100):  # some servers listen before they are ready
            answer = client.post(url, json=BODY)
            if answer.is_success:
                break
            time.sleep(0.1)
        answer.raise_for_status()
        if name != BARE:
            assert answer.content == Drawing().answer(BODY), f"{name} answers another image"
            sheet = client.post(url, json=BODY | {"n": 8}).raise_for_status().content
            assert _pixels(sheet) == _pixels(Drawing().answer(BODY | {"n": 8})), f"{name} answers another sheet"


def _pixels(png: bytes) -> tuple[tuple[int, int], bytes]:
    with Image.open(io.BytesIO(png)) as image:
        return image.size, image.tobytes()


def load(process: psutil.Process, url: str, path: str, images: int, seconds: int, **more: str) -> Figures:
    """`more` are further variables of load.lua."""
    script = ["--script", str(ROOT / "bench/peers/load.lua"), url]
    wrk = ["taskset", "--cpu-list", str(LOAD_CORE), "wrk", "--threads", "1"]
    wrk += ["--connections", str(min(CONNECTIONS, MOST_ROWS // images))]
    environment = os.environ | {"BENCH_PATH": path, "BENCH_IMAGES": str(images), **more}
    subprocess.run([*wrk, "--duration", "1s", *script], env=environment, check=True, stdout=subprocess.DEVNULL)
    before = cpu_seconds(process)
    said = subprocess.run(
        [*wrk, "--duration", f"{seconds}s", "--latency", *script],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Non-2xx" not in said, said
    requests, taken = re.findall(r"(\d+) requests in ([\d.]+)s", said)[0]
    p50, p99 = (_milliseconds(*re.findall(rf" {share}% +([\d.]+)(us|ms|s)", said)[0]) for share in (50, 99))
    return Figures(int(requests) / float(taken), (cpu_seconds(process) - before) * 1e6 / int(requests), p50, p99)


def _milliseconds(number: str, unit: str) -> float:
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def cpu_seconds(process: psutil.Process) -> float:
    times = [part.cpu_times() for part in [process, *process.children(recursive=True)]]
    return sum(t.user + t.system for t in times)


def print_table(images: int, by_server: dict[str, list[Figures]]) -> None:
    print(f"\n{images} image{'s' if images > 1 else ''} a request")
    heads = ("", "requests/s", "images/s", "us CPU a request", "p50 ms", "p99 ms", "our CPU / its")
    widths = (10, 27, 10, 27, 27, 27, 20)
    print("".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)))
    for name, rounds in by_server.items():
        requests, cpu = [one.requests for one in rounds], [one.cpu for one in rounds]
        ratios = [ours.cpu / one.cpu for ours, one in zip(by_server.get(OURS, []), rounds, strict=False)]
        p50, p99 = _spread([one.p50 for one in rounds], 1), _spread([one.p99 for one in rounds], 1)
        rate = f"{median(requests) * images:,.0f}"
        row = (name, _spread(requests, 0), rate, _spread(cpu, 0), p50, p99, _spread(ratios, 2) if ratios else "")
        print("".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))


def check_ratio(by_server: dict[str, list[Figures]]) -> None:
    ratio = median(ours.cpu / bare.cpu for ours, bare in zip(by_server[OURS], by_server[BARE], strict=True))
    print(f"\nA request costs {ratio:.1f} times the bare function's; {RECORDED} is recorded.")
    if ratio > 2 * RECORDED:
        sys.exit("error: that is more than twice as much; 'make bench-serve' and a profiler say where it goes")


def _spread(values: list[float], digits: int) -> str:
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}..{max(values):,.{digits}f})"


def _versions(python: Path, *packages: str) -> str:
    """Those that this environment has: `make bench-check` has no peers."""
    code = "import importlib.metadata as m; print(*(f'{d.name.lower()}={d.version}' for d in m.distributions()))"
    said = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    found = dict(each.split("=", 1) for each in said)
    return ", ".join(f"{package} {found[package]}" for package in packages if package in found)


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.processor()


if __name__ == "__main__":
    main()
