"""Clients that people have, as they are."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import BODY
from tests.conftest import program

JSON = ["--header", "Content-Type: application/json"]


@pytest.mark.parametrize("option", ["--http1.0", "--http1.1", "--http2", "--header=Expect: 100-continue"])
def test_curl_draws(url: str, expected: bytes, option: str) -> None:
    options = option.split("=", 1)
    command = [program("curl"), "--silent", "--fail", *options, *JSON, "--data", json.dumps(BODY), f"{url}/v1/images"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == expected


def test_curl_gets_a_data_set_without_chunks_by_the_old_protocol(url: str, tmp_path: Path) -> None:
    body = json.dumps({"n": 300, "seed": 1, "format": "webdataset"})
    files = []
    for option in ("--http1.0", "--http1.1", "--http2"):
        path = tmp_path / option
        command = [program("curl"), "--silent", "--fail", option, *JSON, "--data", body, "--output", str(path)]
        subprocess.run([*command, f"{url}/v1/datasets"], check=True)
        files.append(path.read_bytes())
    assert len(set(files)) == 1


def test_the_fetch_of_node_draws(url: str, expected: bytes) -> None:
    script = """
        const [url, body] = process.argv.slice(1);
        const headers = { "Content-Type": "application/json" };
        const answer = await fetch(`${url}/v1/images`, { method: "POST", headers, body });
        process.stdout.write(Buffer.from(await answer.arrayBuffer()));
    """
    command = [program("node"), "--input-type=module", "--eval", script, url, json.dumps(BODY)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == expected


def test_the_http_client_of_java_draws_again_and_again(url: str, expected: bytes, tmp_path: Path) -> None:
    source = Path(__file__).parent / "Draw.java"
    subprocess.run([program("javac"), "-d", str(tmp_path), str(source)], check=True)
    command = [program("java"), "-cp", str(tmp_path), "Draw", url, json.dumps(BODY)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split(" ")[0] for line in said] == ["200"] * 3
    assert {base64.b64decode(line.split(" ")[1]) for line in said} == {expected}
