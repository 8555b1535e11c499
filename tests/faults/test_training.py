"""Training that is killed at any moment, and told to end before it has begun."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from tests.conftest import program
from tests.training.conftest import drawn_digits
from training.loop.run import Run

KILLS = 10
IMAGES = 400


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits of one class: a run of them needs no judge, which takes longer than the run."""
    digits = drawn_digits(IMAGES)
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=digits.images[:, 0].numpy().astype(np.uint8), labels=np.zeros(IMAGES, np.uint8))
    return path


def command(data: Path, run: Path, epochs: int = 6) -> list[str]:
    faussaire = str(Path(sys.executable).parent / "faussaire")
    return [faussaire, "train", "gan", "--data", str(data), "--run", str(run), "--epochs", str(epochs)]


def last_state(run: Path) -> dict[str, torch.Tensor]:
    """All tensors of the last checkpoint, by name."""
    state = torch.load(Run(run).checkpoints()[-1], weights_only=True)
    found: dict[str, torch.Tensor] = {}

    def gather(name: str, value: object) -> None:
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif isinstance(value, dict):
            for key, part in value.items():
                gather(f"{name}.{key}", part)
        elif isinstance(value, list | tuple):
            for place, part in enumerate(value):
                gather(f"{name}.{place}", part)

    gather("", {key: part for key, part in state.items() if key != "seconds"})
    return found


def test_a_run_that_is_killed_ten_times_ends_as_one_that_never_was(data: Path, tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = time.monotonic()
    subprocess.run(command(data, tmp_path / "whole"), env=environment, check=True, capture_output=True)
    seconds = time.monotonic() - started
    moments, killed = random.Random(0), 0
    while killed < KILLS:
        with subprocess.Popen(command(data, tmp_path / "cut"), env=environment, stderr=subprocess.DEVNULL) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0.3, 1) * seconds)
            process.kill()
        killed += 1
        for checkpoint in Run(tmp_path / "cut").checkpoints():
            torch.load(checkpoint, weights_only=True)  # each that is there can be read
    subprocess.run(command(data, tmp_path / "cut"), env=environment, check=True, capture_output=True)
    whole, cut = last_state(tmp_path / "whole"), last_state(tmp_path / "cut")
    assert len(whole) > 20
    assert whole.keys() == cut.keys()
    assert [name for name in whole if not torch.equal(whole[name], cut[name])] == []


def test_the_first_process_of_a_container_ends_before_its_loop_begins(data: Path, tmp_path: Path) -> None:
    unshare = [program("unshare"), "--pid", "--fork"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this user may not make a process the first of a container")
    with subprocess.Popen([*unshare, *command(data, tmp_path / "run", 1_000)], stderr=subprocess.PIPE) as outer:
        first = wait_for_torch(outer.pid)
        first.send_signal(signal.SIGTERM)
        outer.wait(60)
        assert outer.stderr is not None
        assert outer.stderr.read().decode().splitlines()[-1:] in (["interrupted"], [])
    assert outer.returncode == 130


def wait_for_torch(outer: int) -> psutil.Process:
    """The first process, once it imports torch: long before its loop."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for child in psutil.Process(outer).children():
            with suppress(psutil.Error):
                if any("libtorch" in mapped.path for mapped in child.memory_maps()):
                    return child
    raise AssertionError("torch was never imported")
