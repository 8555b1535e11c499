"""A real `bentoml serve` on its own port, and the real `faussaire` command on small data."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from torchvision.datasets import MNIST

from tests.training.conftest import drawn_digits, first, real_data_dir
from training.datasets.images import ImageSet, load_images

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(models: Path, home: Path, target: str = ".", **settings: str) -> Iterator[httpx.Client]:
    """Serve `models` with its own BENTOML_HOME, because servers wipe each other's metrics there; yield a client.

    If the settings name a certificate, the client trusts this one alone.
    """
    port = int(settings.pop("port", free_port()))
    command = [str(Path(sys.executable).parent / "bentoml"), "serve", target]
    environment = os.environ | {
        "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOST": "127.0.0.1",
        "FAUSSAIRE_MODELS_DIR": str(models),
        **settings,
    }
    log = home / "serve.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--timeout-graceful-shutdown", "10"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    # The client retries refused connections with growing pauses. A server that listens answers when it is ready.
    trusted = settings.get("FAUSSAIRE_TLS_CERTIFICATE")
    transport = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=trusted), retries=8)
    base_url = f"{'https' if trusted else 'http'}://127.0.0.1:{port}"
    with httpx.Client(base_url=base_url, timeout=60, transport=transport) as client:
        try:
            assert client.get("/readyz").status_code == 200, log.read_text()
            yield client
        finally:
            server.terminate()
            assert server.wait(60) == 0, log.read_text()


def workers(folder: Path) -> list[psutil.Process]:
    """Return the processes that live and serve a folder's models."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # or it is a zombie
            serves = "_bentoml_impl.worker.service" in process.cmdline()
            if serves and process.environ().get("FAUSSAIRE_MODELS_DIR") == str(folder):
                found.append(process)
    return found


@pytest.fixture(scope="session")
def server(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Serve the small generators; yield a client."""
    with serving(models_dir, tmp_path_factory.mktemp("home"), FAUSSAIRE_DEFAULT_MODEL="small") as client:
        yield client


SMALL = 4_000


def write_idx(folder: Path, images: ImageSet, prefix: str) -> None:
    """Write images and labels to the files that torchvision's MNIST reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in (("images-idx3", images.images[:, 0]), ("labels-idx1", images.labels)):
        values = array.numpy().astype(np.uint8)
        header = np.array([0x0800 + values.ndim, *values.shape], ">i4").tobytes()
        (folder / f"{prefix}-{kind}-ubyte").write_bytes(header + values.tobytes())


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a few thousand digits in MNIST's own files: real digits if this machine has them."""
    folder = tmp_path_factory.mktemp("data")
    real = real_data_dir()
    sets = [load_images("mnist", real, train=train) for train in (True, False)] if real else [drawn_digits(SMALL)] * 2
    write_idx(folder / "MNIST" / "raw", first(sets[0], SMALL), "train")
    write_idx(folder / "MNIST" / "raw", first(sets[1], 1_000), "t10k")
    assert len(MNIST(str(folder), train=True)) == SMALL
    return folder


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where commands run. They share it because each needs the same classifier."""
    return tmp_path_factory.mktemp("work")


def faussaire(folder: Path, *arguments: str) -> str:
    """Run a command that must succeed; return what it printed."""
    done = ran(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "faussaire"), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
