"""The image that `make image` builds, run as k8s/base runs it."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.conftest import program, write_small
from tests.container.conftest import NAME, Container, run_container
from tests.end_to_end.conftest import ROOT, serving

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("/v1/images", {"class": "7", "seed": 1}),
    ("/v1/images", {"model": "fashion-cgan", "class": "sneaker", "seed": 2, "n": 40}),
    ("/v1/images", {"model": "mnist-cgan", "seed": 3, "n": 100, "format": "npy"}),
    ("/v1/interpolations", {"from": {"seed": 1}, "to": {"seed": 2}, "frames": 8, "format": "webp"}),
]


def ask(client: httpx.Client) -> list[tuple[int, bytes]]:
    responses = [client.post(path, json=body) for path, body in ASKED]
    return [(response.status_code, response.content) for response in responses]


def test_the_image_answers_the_same_bytes_as_the_service_outside(container: Container, tmp_path: Path) -> None:
    with serving(ROOT / "models", tmp_path) as outside:
        expected = ask(outside)
    assert {status for status, _ in expected} == {200}
    assert ask(container.client) == expected


def test_the_image_counts_its_answers(container: Container) -> None:
    assert container.client.get("/v1/image?class=3&seed=4").status_code == 200
    scraped = container.client.get("/metrics").text
    assert 'faussaire_requests_total{model="mnist-infogan",outcome="ok",route="/v1/image"} 1.0' in scraped


def test_the_image_has_the_playground(container: Container) -> None:
    page = container.client.get("/").text
    linked = re.findall(r'(?:src|href)="(page/[^"]+)"', page)
    assert len(linked) > 2
    assert {container.client.get(f"/{file}").status_code for file in linked} == {200}


def test_the_user_has_no_rights_and_can_write_only_to_tmp(container: Container) -> None:
    script = (
        "id -u; id -g; for f in /app /home/bentoml /home/bentoml/bento /etc /tmp; do [ -w $f ] && echo $f; done; true"
    )
    assert container.podman.shell(script).split() == ["1034", "1034", "/tmp"]
    status = container.podman("exec", container.id, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == ["1034"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_the_image_has_no_compiler_no_installer_and_no_torch(container: Container) -> None:
    names = "gcc g++ cc c++ clang make ld as git uv cargo nvcc"
    assert container.podman.shell(f"for name in {names}; do command -v $name; done; true") == ""
    script = (
        "import importlib.util as u; print([n for n in ('torch', 'onnx', 'pip', 'uv', 'scipy', 'pytest') "
        "if u.find_spec(n)], bool(u.find_spec('bentoml')))"
    )
    assert container.podman.shell(f'python -c "{script}"') == "[] True"


def test_the_labels_describe_the_image(container: Container) -> None:
    labels = json.loads(container.podman("inspect", NAME))[0]["Labels"]
    prefix = "org.opencontainers.image."
    found = {key.removeprefix(prefix): value for key, value in labels.items() if key.startswith(prefix)}
    assert found.keys() == {"title", "description", "version", "revision", "licenses"}
    assert (found["title"], found["licenses"]) == ("faussaire", "MIT")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found["revision"].removesuffix("-dirty") == head.stdout.strip()


def test_the_bill_of_materials_is_valid_and_complete(container: Container) -> None:
    beside = (ROOT / "dist" / "faussaire-test-latest.cdx.json").read_text()
    assert beside.strip() == container.podman.shell("cat /app/faussaire.cdx.json")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(beside) is None
    listed = [(one["purl"].partition("/")[0], one["name"], one["version"]) for one in json.loads(beside)["components"]]
    script = "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}' for x in d()))"
    installed = {tuple(one.split("==")) for one in container.podman.shell(f'python -c "{script}"').split()}
    assert {(name, version) for kind, name, version in listed if kind == "pkg:pypi"} == installed
    assert len(installed) > 70
    script = r"dpkg-query -W -f '${Package}==${Version}\n'"
    packages = {tuple(one.split("==")) for one in container.podman.shell(script).split()}
    assert {(name, version) for kind, name, version in listed if kind == "pkg:deb"} == packages


def test_onnx_runtime_reports_to_nobody(container: Container) -> None:
    """With reports on and a read-only root, ONNX Runtime logs that it cannot keep its telemetry number."""
    logs = container.podman.run([program("podman"), "logs", container.id])
    said = logs.stdout + logs.stderr
    assert "Service faussaire initialized" in said
    assert "telemetry" not in said


def test_the_image_serves_a_mounted_folder_of_models(container: Container, tmp_path: Path) -> None:
    write_small(tmp_path, "mounted")
    tmp_path.chmod(0o755)
    options = ("--volume", f"{tmp_path}:/models:ro", "--env", "FAUSSAIRE_MODELS_DIR=/models")
    with run_container(container.podman, *options) as other:
        models = other.client.get("/v1/models").json()["models"]
        assert [model["card"]["name"] for model in models] == ["mounted"]
        assert other.client.post("/v1/images", json={"seed": 1}).status_code == 200


def test_requests_accepted_before_a_stop_are_answered_whole(container: Container) -> None:
    """After the stop begins clients open no connection, as a Service sends none to a pod after its preStop."""
    body: dict[str, Any] = {"seed": 5, "n": 1000}
    expected = container.client.post("/v1/images", json=body).content
    opening, stopping, answered = threading.Lock(), threading.Event(), threading.Semaphore(0)

    def ask_until_the_stop(port: int) -> list[bytes]:
        contents: list[bytes] = []
        while True:
            with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                with opening:
                    if stopping.is_set():
                        return contents
                    connection.request("POST", "/v1/images", json.dumps(body), {"Content-Type": "application/json"})
                response = connection.getresponse()
                contents.append(response.read())
                assert response.status == 200, contents[-1]
            answered.release()

    with run_container(container.podman) as one, ThreadPoolExecutor(8) as crowd:
        pid = int(one.podman("inspect", "--format", "{{.State.Pid}}", one.id))
        clients = [crowd.submit(ask_until_the_stop, one.client.base_url.port or 80) for _ in range(8)]
        try:
            for _ in range(24):
                assert answered.acquire(timeout=60)
        finally:
            with opening:
                stopping.set()
        # This connection is accepted last, so the earlier ones are accepted too.
        assert httpx.get(one.client.base_url.join("/livez")).status_code == 200
        os.kill(pid, signal.SIGTERM)
        assert not all(client.done() for client in clients)
        assert one.podman("wait", one.id) == "0"
        contents = [content for client in clients for content in client.result()]
    assert len(contents) > 24
    assert set(contents) == {expected}


def test_the_kernel_ends_a_container_with_too_little_memory(container: Container) -> None:
    options = ("--memory=64m", "--memory-swap=64m")
    name = container.podman("run", "--detach", *options, NAME, "serve", "--host", "127.0.0.1", "--port", "31099")
    try:
        assert container.podman("wait", name) == "137"
    finally:
        container.podman("rm", "--force", name)


def test_without_an_engine_make_image_fails_with_one_line(tmp_path: Path) -> None:
    for name in ("bash", "dirname", "env", "make"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    command = [str(ROOT / "container" / "build.sh"), "bentofile.yaml", "none:latest"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no podman or docker runs here")
    assert done.stderr.count("\n") == 1
