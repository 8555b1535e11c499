"""A server whose disk is full."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import program
from tests.end_to_end.conftest import ROOT, free_port, serving, workers

MEBIBYTES = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = [program("mount"), "-t", "tmpfs", "-o", f"size={MEBIBYTES}m", "tmpfs", str(path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    yield path
    subprocess.run([program("umount"), "--lazy", str(path)], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "full").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_server_whose_disk_fills_up_goes_on_and_is_counted(models_dir: Path, disk: Path) -> None:
    with serving(models_dir, disk, FAUSSAIRE_DEFAULT_MODEL="small") as client:
        (worker,) = workers(models_dir)
        fill(disk)
        assert os.statvfs(disk).f_bavail == 0
        for model in ("small", "plain"):  # what is counted now was never counted before
            for path, body in (("/v1/images", {"n": 300}), ("/v1/images", {"n": 0}), ("/v1/datasets", {"n": 9})):
                assert client.post(path, json=body | {"model": model}).status_code in {200, 422}
            assert client.get(f"/v1/image?model={model}").status_code == 200
        assert 'faussaire_images_total{model="plain"} 3' in client.get("/metrics").text
        assert workers(models_dir) == [worker]


def test_a_server_that_starts_on_a_full_disk_says_so_in_one_line(models_dir: Path, disk: Path) -> None:
    fill(disk)
    done = subprocess.run(
        [str(Path(sys.executable).parent / "bentoml"), "serve", ".", "--port", str(free_port())],
        cwd=ROOT,
        env=os.environ | {"BENTOML_HOME": str(disk), "FAUSSAIRE_MODELS_DIR": str(models_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(f"error: the disk of {disk}")
    assert "Traceback" not in done.stderr
