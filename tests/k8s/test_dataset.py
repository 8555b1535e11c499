"""The Job that draws a data set: its manifests fit each other and the service, and its script draws the shards."""

import hashlib
import io
import os
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from torchvision.datasets import MNIST

from latent.dataset import shard
from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import listening, program, small_card, write_recogniser, write_small, write_version
from tests.k8s.conftest import K8S, Manifest, environment, mounts, one, only_container, quantity, render
from training.export.recipe import read_checksum, shard_path

FOLDER = K8S / "dataset"
SCRIPT = FOLDER / "draw-shard.sh"
NAME = "faussaire-dataset"
ITEMS, SHARDS = 1_003, 4
REPLACED = 120
"""The exit status if the model was replaced; curl has none so high."""


@pytest.fixture(scope="module")
def manifests() -> tuple[Manifest, ...]:
    return render(FOLDER)


@pytest.fixture
def job(manifests: tuple[Manifest, ...]) -> Manifest:
    spec: Manifest = one(manifests, "Job", NAME)["spec"]
    return spec


@pytest.fixture
def pod(job: Manifest) -> Manifest:
    spec: Manifest = job["template"]["spec"]
    return spec


@pytest.fixture
def container(job: Manifest) -> Manifest:
    return only_container(job)


@pytest.fixture
def asked(container: Manifest) -> dict[str, str]:
    return environment(container)


def test_each_shard_has_one_pod_and_together_they_draw_each_item_once(job: Manifest, asked: dict[str, str]) -> None:
    items, shards = int(asked["ITEMS"]), int(asked["SHARDS"])
    assert job["completionMode"] == "Indexed"
    assert job["completions"] == shards
    assert items == 100_000_000
    parts = [shard(items, shards, number) for number in range(shards)]
    assert (parts[0].start, parts[-1].stop) == (0, items)
    assert all(before.stop == after.start for before, after in pairwise(parts))
    assert {len(part) for part in parts} == {100_000}


def test_the_volume_holds_all_items(manifests: tuple[Manifest, ...], asked: dict[str, str]) -> None:
    claim = one(manifests, "PersistentVolumeClaim", NAME)["spec"]
    pixels_and_label = 28 * 28 + 1
    size = int(asked["ITEMS"]) * pixels_and_label
    assert size * 1.02 < quantity(claim["resources"]["requests"]["storage"])
    assert claim["accessModes"] == ["ReadWriteMany"]


def test_the_service_answers_what_the_pods_ask(job: Manifest, asked: dict[str, str]) -> None:
    url = urlsplit(asked["SERVICE"])
    service = one(render(K8S / "base"), "Service", str(url.hostname))
    assert [port["port"] for port in service["spec"]["ports"]] == [url.port or 80]
    assert (ROOT / "models" / f"{asked['MODEL']}.onnx").exists()
    # All requests may come to one replica, which must refuse none.
    assert job["parallelism"] <= Settings.model_fields["max_streams"].default


def test_the_services_selectors_do_not_select_the_pods(job: Manifest) -> None:
    labels = job["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "faussaire-dataset"
    base = render(K8S / "base")
    assert not one(base, "Service")["spec"]["selector"].items() <= labels.items()
    assert not one(base, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_pods_may_ask_the_service_and_answer_nobody(manifests: tuple[Manifest, ...], job: Manifest) -> None:
    policy, base = one(manifests, "NetworkPolicy", NAME)["spec"], render(K8S / "base")
    assert policy["podSelector"]["matchLabels"].items() <= job["template"]["metadata"]["labels"].items()
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["ingress"] == []
    service, names = policy["egress"]
    (peer,) = service["to"]
    deployment = one(base, "Deployment")
    assert peer["podSelector"]["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    ports = {port["containerPort"] for port in only_container(deployment)["ports"]}
    assert {port["port"] for port in service["ports"]} == ports
    assert {port["port"] for port in names["ports"]} == {53}


def test_only_a_failed_shard_is_tried_again(job: Manifest, pod: Manifest) -> None:
    assert job["backoffLimitPerIndex"] >= 3
    assert "backoffLimit" not in job
    assert pod["restartPolicy"] == "Never"  # backoffLimitPerIndex needs this
    assert job["podReplacementPolicy"] == "Failed"
    actions = {rule["action"]: rule for rule in job["podFailurePolicy"]["rules"]}
    assert actions["FailJob"]["onExitCodes"] == {"operator": "In", "values": [REPLACED]}
    assert [condition["type"] for condition in actions["Ignore"]["onPodConditions"]] == ["DisruptionTarget"]


def test_the_script_is_mounted_and_writes_to_the_volume(
    manifests: tuple[Manifest, ...], pod: Manifest, container: Manifest
) -> None:
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert container["workingDir"] == mounts(container)["data"]
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == NAME
    assert container["command"] == ["sh", f"{mounts(container)['job']}/{SCRIPT.name}"]
    files = one(manifests, "ConfigMap", volumes["job"]["configMap"]["name"])["data"]
    assert files == {SCRIPT.name: SCRIPT.read_text()}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    write_recogniser(write_version(folder, 0), small_card())
    write_small(folder, "plain", coded=False)
    return folder


@pytest.fixture
def url(models: Path) -> Iterator[str]:
    program("curl")
    with listening(create_app(Settings(models_dir=models, default_model="plain", watch_seconds=0.05))) as url:
        yield url


def run_pod(folder: Path, url: str, index: int, **changes: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as the pod of an index does."""
    folder.mkdir(exist_ok=True)
    asked = {"SERVICE": url, "MODEL": "small", "ITEMS": str(ITEMS), "SHARDS": str(SHARDS), "SEED": "1"}
    environment = {"PATH": os.environ["PATH"], "JOB_COMPLETION_INDEX": str(index)} | asked | changes
    return subprocess.run(["sh", SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_shards_of_all_pods_are_the_data_set(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for index in range(SHARDS):
        done = run_pod(folder, url, index)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    parts = [shard_path(folder, "idx", index, SHARDS) for index in range(SHARDS)]
    assert {path.name for path in folder.iterdir()} == {"model"} | {
        f"{part.name}{suffix}" for part in parts for suffix in ("", ".sha256")
    }
    assert [read_checksum(part) for part in parts] == [hashlib.sha256(part.read_bytes()).hexdigest() for part in parts]

    def read(content: bytes, name: str) -> MNIST:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            tar.extractall(tmp_path / name, filter="data")
        return MNIST(str(tmp_path / name), train=True)

    body = {"model": "small", "n": ITEMS, "seed": 1}
    whole = read(httpx.post(f"{url}/v1/datasets", json=body, timeout=60).content, "whole")
    drawn = [read(part.read_bytes(), part.stem) for part in parts]
    assert np.array_equal(np.concatenate([part.data for part in drawn]), whole.data)
    assert np.array_equal(np.concatenate([part.targets for part in drawn]), whole.targets)


def test_a_whole_shard_is_not_drawn_again_and_half_a_shard_is(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert run_pod(folder, url, 0).returncode == 0
    assert run_pod(folder, "http://127.0.0.1:1", 0).returncode == 0  # nobody answers here
    part = shard_path(folder, "idx", 0, SHARDS)
    whole = part.read_bytes()
    part.rename(f"{part}.new")
    os.truncate(f"{part}.new", 1_000)
    assert run_pod(folder, url, 0).returncode == 0
    assert part.read_bytes() == whole


def test_a_refused_request_fails_and_leaves_no_shard(url: str, tmp_path: Path) -> None:
    done = run_pod(tmp_path / "data", url, 0, MODEL="none")
    assert done.returncode not in (0, REPLACED)
    assert "404" in done.stderr
    assert read_checksum(shard_path(tmp_path / "data", "idx", 0, SHARDS)) is None


def test_a_stream_that_breaks_off_fails_and_leaves_no_shard(tmp_path: Path) -> None:
    def break_off(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with closing(connection):
            connection.recv(65_536)
            head = b"HTTP/1.1 200 OK\r\nFaussaire-Model: small@0\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head + b"400\r\n" + bytes(0x400) + b"\r\n")  # and no last chunk

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        thread.submit(break_off, listener)
        done = run_pod(tmp_path / "data", f"http://127.0.0.1:{listener.getsockname()[1]}", 0)
    assert done.returncode not in (0, REPLACED)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["part-00000-of-00004.tar.new"]


def test_a_model_replaced_between_shards_ends_the_job(url: str, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert run_pod(folder, url, 0).returncode == 0
    (models / "small.recogniser.onnx").unlink()
    write_version(models, 1)
    while (drawn := run_pod(folder, url, 1)).returncode == 0:  # until the service sees the new file
        shard_path(folder, "idx", 1, SHARDS).unlink()
    assert drawn.returncode == REPLACED
    assert "the model was replaced" in drawn.stderr
    assert read_checksum(shard_path(folder, "idx", 1, SHARDS)) is None
