"""Whether a server that is used and abused for long stays as it was: `python -m bench.soak [MINUTES] [--leak]`.

wrk asks for single images at full rate. Beside it clients ask for everything else, send what is wrong, and leave in
the middle. Memory, descriptors, threads, series, log lines and the latency of a lone request are looked at every five
seconds; the second half of the run is judged, when caches are full. `--leak` plants a leak, which must be found.
"""

import argparse
import io
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
from PIL import Image, ImageDraw

from bench.compare import LOAD_CORE, OURS, ROOT, servers_of, started, wait_for

LOOK_EVERY = 5.0
"""Seconds."""
CLIENTS = 4
LONE = 20
MEBIBYTE = 2**20

MOST_GROWTH = 1.0
"""MiB of resident memory a minute."""
PLANTED = 10.0
"""MiB a minute that the planted leak makes at least: four kilobytes a request, at some hundred requests a second."""
MOST_DRIFT = 3.0
"""Of the latency at the end to that at the beginning: other work on the machine moves it too."""
MOST_LINES = 5
"""Lines of the log of one kind, numbers aside."""

JSON = {"content-type": "application/json"}


@dataclass
class Look:
    seconds: float
    memory: float
    """MiB of the worker."""
    descriptors: int
    threads: int
    series: int
    latency: float
    """Milliseconds."""


@dataclass
class Soak:
    url: str
    worker: psutil.Process
    log: Path
    looks: list[Look] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=10)
    parser.add_argument("--leak", action="store_true", help="Plant a leak; succeed if it is found.")
    asked = parser.parse_args()
    path = str(ROOT) + (f"{os.pathsep}{ROOT / 'bench/leak'}" if asked.leak else "")
    command, _ = servers_of(Path(sys.executable), Path())[OURS]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with started(command, sorted(os.sched_getaffinity(0)), log, PYTHONPATH=path) as (process, url):
            wait_for(url)
            soak = Soak(url, worker_of(process), log)
            run(soak, asked.minutes * 60)
            growth, faults = judge(soak)
    for fault in faults:
        print(f"fault: {fault}")
    if asked.leak:
        sys.exit("error: the planted leak was not found" if growth < PLANTED else None)
    sys.exit(1 if faults else None)


def worker_of(process: psutil.Process) -> psutil.Process:
    (worker,) = [one for one in process.children(recursive=True) if "_bentoml_impl.worker.service" in one.cmdline()]
    return worker


def run(soak: Soak, seconds: float) -> None:
    clients = [threading.Thread(target=keep_asking, args=(soak, seed)) for seed in range(CLIENTS)]
    wrk = ["taskset", "--cpu-list", str(LOAD_CORE), "wrk", "--threads", "1", "--connections", "16"]
    wrk += ["--duration", f"{int(seconds) + 1}s", "--script", str(ROOT / "bench/peers/load.lua"), soak.url]
    environment = os.environ | {"BENCH_PATH": "/v1/images", "BENCH_IMAGES": "1"}
    with subprocess.Popen(wrk, env=environment, stdout=subprocess.PIPE, text=True) as load:
        for client in clients:
            client.start()
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(LOOK_EVERY)
            soak.looks.append(look(soak, time.monotonic() - began))
            print_look(soak.looks[-1])
        soak.ended.set()
        for client in clients:
            client.join()
        said = load.communicate()[0]
    print(re.findall(r".*requests in.*", said)[0].strip(), "by wrk;", dict(soak.answers), "by the others")
    soak.looks.append(look(soak, seconds))  # idle again
    print_look(soak.looks[-1])


def look(soak: Soak, seconds: float) -> Look:
    with httpx.Client(base_url=soak.url, timeout=60) as client:
        series = sum(not line.startswith("#") for line in client.get("/metrics").text.splitlines())
        latencies = []
        for seed in range(LONE):
            begun = time.perf_counter()
            client.post("/v1/images", json={"seed": seed})
            latencies.append((time.perf_counter() - begun) * 1e3)
    memory = soak.worker.memory_info().rss / MEBIBYTE
    return Look(seconds, memory, soak.worker.num_fds(), soak.worker.num_threads(), series, median(latencies))


def print_look(seen: Look) -> None:
    print(
        f"{seen.seconds:6.0f} s  {seen.memory:6.1f} MiB  {seen.descriptors:4} descriptors  {seen.threads:3} threads  "
        f"{seen.series:4} series  a lone request {seen.latency:5.1f} ms",
        flush=True,
    )


def judge(soak: Soak) -> tuple[float, list[str]]:
    """How many MiB the memory grows a minute, and what is not as it should be."""
    *under_load, idle = soak.looks
    late = under_load[len(under_load) // 2 :]
    growth = np.polyfit([one.seconds / 60 for one in late], [one.memory for one in late], 1)[0]
    quarter = max(1, len(under_load) // 4)
    drift = median(o.latency for o in under_load[-quarter:]) / median(o.latency for o in under_load[:quarter])
    lines = Counter(re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", line) for line in soak.log.read_text().splitlines())
    print(f"memory grows by {growth:.2f} MiB a minute; latency drifts by {drift:.2f}; {sum(lines.values())} log lines")
    faults = [f"the log says {count} times: {line}" for line, count in lines.items() if count > MOST_LINES]
    faults += [f"a traceback: {line}" for line in lines if "Traceback" in line]
    faults += [f"wrong: {each}" for each in soak.wrong[:5]]
    if growth > MOST_GROWTH:
        faults.append(f"memory grows by {growth:.2f} MiB a minute")
    if drift > MOST_DRIFT:
        faults.append(f"a lone request takes {drift:.1f} times as long at the end")
    for name in ("threads", "series"):
        first, last = (getattr(one, name) for one in (late[0], idle))
        if last > first:
            faults.append(f"{first} {name} became {last}")
    if idle.descriptors > min(one.descriptors for one in under_load):
        faults.append(f"{idle.descriptors} descriptors are open although no client is left")
    return float(growth), faults


def keep_asking(soak: Soak, seed: int) -> None:
    chance = random.Random(seed)
    with httpx.Client(base_url=soak.url, timeout=60) as client:
        while not soak.ended.is_set():
            act, expected = chance.choice(ACTS)
            with suppress(httpx.TransportError):
                status = act(client, chance)
                soak.answers[status] += 1
                if status not in {*expected, 429}:
                    soak.wrong.append(f"{act.__name__} gave {status}")


def draw(client: httpx.Client, chance: random.Random) -> int:
    body = {"seed": chance.randrange(10**6), "n": chance.choice([1, 8, 64]), "scale": chance.choice([1, 2])}
    return client.post("/v1/images", json=body | {"format": chance.choice(["sheet", "zip", "json"])}).status_code


def draw_arrays(client: httpx.Client, chance: random.Random) -> int:
    return client.post("/v1/images", json={"n": chance.randrange(1, 1024), "format": "npy"}).status_code


def get(client: httpx.Client, chance: random.Random) -> int:
    etag = {"if-none-match": chance.choice(["*", '"none"'])}
    return client.get(f"/v1/image?seed={chance.randrange(10**4)}", headers=etag).status_code


def traverse(client: httpx.Client, _: random.Random) -> int:
    return client.post("/v1/traversals", json={"rows": {"class": "all"}, "columns": {"style": 0}}).status_code


def interpolate(client: httpx.Client, chance: random.Random) -> int:
    ends = {"from": {"seed": chance.randrange(99)}, "to": {"seed": 7}, "frames": 20}
    return client.post("/v1/interpolations", json=ends | {"format": chance.choice(["apng", "gif"])}).status_code


def read_codes(client: httpx.Client, _: random.Random) -> int:
    return client.post("/v1/codes", content=DRAWING).status_code


def verify(client: httpx.Client, chance: random.Random) -> int:
    image = client.get(f"/v1/image?seed={chance.randrange(10**4)}").content
    return client.post("/v1/verify", content=image).status_code


def look_around(client: httpx.Client, chance: random.Random) -> int:
    paths = ["/", "/v1/models", "/docs", "/openapi.json", "/metrics", "/livez", "/readyz"]
    return client.get(chance.choice(paths), follow_redirects=True).status_code


def take_dataset(client: httpx.Client, chance: random.Random) -> int:
    body = {"n": 2_000, "seed": 1, "format": chance.choice(["idx", "zip", "webdataset"])}
    return client.post("/v1/datasets", json=body).status_code


def leave_dataset(client: httpx.Client, _: random.Random) -> int:
    with client.stream("POST", "/v1/datasets", json={"n": 10**6, "format": "webdataset"}) as answer:
        if answer.status_code == httpx.codes.OK:
            next(answer.iter_raw())
        return answer.status_code


def leave(client: httpx.Client, chance: random.Random) -> int:
    """Send some of a request, of any kind, and go."""
    whole = (
        b'POST /v1/images HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"n":999}'
    )
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname or "", url.port or 0)) as connection:
        connection.sendall(whole[: chance.randrange(len(whole) + 1)])
    return 0


def send_garbage(client: httpx.Client, chance: random.Random) -> int:
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=60) as connection:
        connection.sendall(bytes([1, *chance.randbytes(300)]) + b"\r\n\r\n")
        return int(connection.recv(100).split(b" ")[1])


def ask_wrongly(client: httpx.Client, chance: random.Random) -> int:
    wrong = ['{"n": 0}', "{", '{"class": "eleven"}', '{"n": 1e999}', '{"seed": -1}', "[" * 10_000, '{"model": "none"}']
    return client.post("/v1/images", content=chance.choice(wrong), headers=JSON).status_code


def ask_elsewhere(client: httpx.Client, chance: random.Random) -> int:
    return client.request(chance.choice(["GET", "PUT", "DELETE"]), f"/{chance.randrange(10**6)}").status_code


def send_no_image(client: httpx.Client, chance: random.Random) -> int:
    return client.post("/v1/codes", content=chance.randbytes(10_000)).status_code


def send_too_much(client: httpx.Client, _: random.Random) -> int:
    return client.post("/v1/images", content=b" " * 1_000_000, headers=JSON).status_code


ACTS: list[tuple[Callable[[httpx.Client, random.Random], int], set[int]]] = [
    (draw, {200}),
    (draw_arrays, {200}),
    (get, {200, 304}),
    (traverse, {200}),
    (interpolate, {200}),
    (read_codes, {200}),
    (verify, {200}),
    (look_around, {200}),
    (take_dataset, {200}),
    (leave_dataset, {200}),
    (leave, {0}),
    (send_garbage, {400}),
    (ask_wrongly, {400, 404, 422}),
    (ask_elsewhere, {404}),
    (send_no_image, {415}),
    (send_too_much, {413}),
]
"""What a client does, and the statuses that it may see; 429 is always right."""


def _drawing() -> bytes:
    png, page = io.BytesIO(), Image.new("L", (280, 280), "white")
    ImageDraw.Draw(page).line([(170, 50), (110, 230)], "black", 24)
    page.save(png, "PNG")
    return png.getvalue()


DRAWING = _drawing()

if __name__ == "__main__":
    main()
