"""Each line of README's table of what the service works with, in the environment of its client."""

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from service.settings import ROOT
from tests.conftest import program

ENVIRONMENTS = {name: ROOT / ".venv" / name / "bin" for name in ("clients", "loaders")}
WEB = Path(__file__).parent / "web"

(TABLE,) = re.findall(r"^## Works with\n.*?((?:^\|.*\n)+)", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
LINES = {
    re.sub(r"[,(].*|\[.*", "", client).strip(): line.replace("\\|", "|")
    for client, line in re.findall(r"^\| (.+?) \| `(.+)` \|$", TABLE, re.MULTILINE)
}

SHARD = "part-00000-of-00001.parquet?n=1000"

Run = Callable[[str, Path], bytes]
"""Runs a line in a folder; returns what it printed."""


def run(command: list[str | Path], folder: Path) -> bytes:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def shell(line: str, folder: Path) -> bytes:
    program("curl")
    return run(["bash", "-o", "pipefail", "-c", line.replace("python -c", f"{sys.executable} -c")], folder)


def python(environment: str, before: str, after: str) -> Run:
    """The value of the line is `it`."""

    def run_python(line: str, folder: Path) -> bytes:
        interpreter = ENVIRONMENTS[environment] / "python"
        if not interpreter.exists():
            pytest.skip(f"make .venv/{environment}/installed has not been run")
        return run([interpreter, "-c", f"{before}\nit = {line}\n{after}"], folder)

    return run_python


def node(line: str, folder: Path) -> bytes:
    script = f"process.stdout.write(Buffer.from({line}))"
    return run([program("node"), "--input-type=module", "--eval", script], folder)


def java(line: str, folder: Path) -> bytes:
    imports = "import java.net.URI; import java.net.http.*; import java.net.http.HttpResponse.BodyHandlers;"
    body = f"System.out.write({line}.body()); System.out.flush();"
    main = f"public static void main(String[] arguments) throws Exception {{ {body} }}"
    (folder / "One.java").write_text(f"{imports} class One {{ {main} }}")
    return run([program("java"), "One.java"], folder)


def generator(line: str, folder: Path) -> bytes:
    command, *arguments = line.split()
    if not (ENVIRONMENTS["clients"] / command).exists():
        pytest.skip("make .venv/clients/installed has not been run")
    return run([ENVIRONMENTS["clients"] / command, *arguments], folder)


def npx(line: str, folder: Path) -> bytes:
    run([program("npm"), "ci", "--silent"], WEB)
    _, command, *arguments = line.split()
    return run([program("node"), WEB / "node_modules" / command / "bin" / "cli.js", *arguments], folder)


DUCKDB = """
import duckdb, duckdb_extension_httpfs, pathlib
(extension,) = pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension")
duckdb.sql(f"LOAD '{extension}'")
"""

RUNS: dict[str, tuple[Run, Callable[[str, Path, bytes], bool]]] = {
    "curl": (shell, lambda url, folder, _: (folder / "seven.png").read_bytes() == seven(url)),
    "fetch": (node, lambda url, _, said: said == seven(url)),
    "Java's HttpClient": (java, lambda url, _, said: said == seven(url)),
    "openapi-python-client": (generator, lambda _, folder, __: (folder / "faussaire-client").is_dir()),
    "openapi-typescript": (npx, lambda _, folder, __: "draw_images" in (folder / "api.d.ts").read_text()),
    "Triton's client": (
        python("clients", "import sys, tritonclient.http", "sys.stdout.buffer.write(it.tobytes())"),
        lambda url, _, said: said == pixels(url),
    ),
    "Hugging Face datasets": (
        python("loaders", "import datasets", 'print(it["train"].num_rows)'),
        lambda _, __, said: said == b"1000\n",
    ),
    "pandas": (python("loaders", "import pandas", "print(len(it))"), lambda _, __, said: said == b"1000\n"),
    "polars": (python("loaders", "import polars", "print(len(it))"), lambda _, __, said: said == b"1000\n"),
    "DuckDB": (python("loaders", DUCKDB, "print(len(it.fetchall()))"), lambda _, __, said: said == b"10\n"),
    "WebDataset": (
        python("loaders", "import webdataset", 'print(sum("png" in one and "cls" in one for one in it))'),
        lambda _, __, said: said == b"1000\n",
    ),
    "torchvision": (shell, lambda _, folder, __: (folder / "MNIST/raw").is_dir()),
}

ELSEWHERE = {"Prometheus"}
"""`tests/observability` runs these."""


def seven(url: str) -> bytes:
    return httpx.get(f"{url}/v1/image?class=7&seed=1").raise_for_status().content


def pixels(url: str) -> bytes:
    body = {"model": "mnist-infogan", "seed": 1, "format": "npy"}
    content = httpx.post(f"{url}/v1/images", json=body).raise_for_status().content
    return bytes(np.load(io.BytesIO(content)).tobytes())


def test_every_line_is_run() -> None:
    assert LINES.keys() == RUNS.keys() | ELSEWHERE


@pytest.mark.parametrize("client", RUNS)
def test_the_line_of_a_client_does_what_it_says(url: str, client: str, tmp_path: Path) -> None:
    runner, is_right = RUNS[client]
    address = url.removeprefix("http://")
    said = runner(LINES[client].replace("127.0.0.1:3000", address), tmp_path)
    assert is_right(url, tmp_path, said), said[:300]
