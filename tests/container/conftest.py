"""The service's image, built by `make image` with podman in its own storage, and its containers."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from service.bento import IMAGE
from tests.conftest import program
from tests.end_to_end.conftest import ROOT, free_port

NAME = "faussaire-test:latest"

CONTAINERS = """
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""

LOCKED_DOWN = (
    *("--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
    *("--memory=1g", "--cpus=1"),
)
"""The options by which k8s/base runs the image."""


@dataclass(frozen=True)
class Podman:
    """A podman with its own images and containers."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        done = self.run([program("podman"), *arguments])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder: a container that the kernel kills for memory leaves a file where it started."""
        environment = os.environ | {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def shell(self, script: str) -> str:
        """Run a script in a locked-down container; return its output."""
        return self("run", "--rm", *LOCKED_DOWN, NAME, "bash", "-c", script)


@dataclass(frozen=True)
class Container:
    podman: Podman
    id: str
    client: httpx.Client


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    for name in ("podman", "runc"):
        program(name)
    folder = tmp_path_factory.mktemp("podman")
    (folder / "containers.conf").write_text(CONTAINERS)
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    podman = Podman(folder)
    yield podman
    podman("system", "reset", "--force")  # resets only the storage that the files name


@pytest.fixture(scope="session")
def built(podman: Podman) -> str:
    """Build the image; return what `make image` printed. Without a registry, build its base from Debian packages."""
    if podman.run([program("podman"), "pull", "--quiet", IMAGE.base_image]).returncode:
        program("mmdebstrap")
        made = podman.run([str(Path(__file__).parent / "base.sh"), IMAGE.base_image])
        assert made.returncode == 0, made.stderr
    settings = ["ENGINE=podman", f"IMAGE={NAME.partition(':')[0]}", "CONTAINERIZE=--opt network=host"]
    command = [program("make"), "-C", str(ROOT), "image", *settings]
    done = podman.run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def run_container(podman: Podman, *options: str) -> Iterator[Container]:
    """Run a locked-down container of the image; yield it when it is ready."""
    port = free_port()
    serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--timeout-graceful-shutdown", "20"]
    name = podman("run", "--detach", *LOCKED_DOWN, *options, NAME, *serve)
    transport = httpx.HTTPTransport(retries=10)  # retries refused connections, with growing pauses
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, transport=transport) as client:
        try:
            assert client.get("/readyz").status_code == 200, podman("logs", name)
            yield Container(podman, name, client)
        finally:
            podman("rm", "--force", "--time", "30", name)


@pytest.fixture(scope="session")
def container(built: str, podman: Podman) -> Iterator[Container]:
    assert built
    with run_container(podman) as one:
        yield one
