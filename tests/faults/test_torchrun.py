"""Training by two processes, one of which is killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from training.loop.run import Run

BIN = Path(sys.executable).parent
TORCHRUN = [
    str(BIN / "torchrun"),
    "--standalone",
    "--nproc-per-node=2",
    "--max-restarts=1",
    "--no-python",
    "--",
    str(BIN / "faussaire"),
]


def test_a_killed_process_costs_no_more_than_what_came_after_the_last_checkpoint(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (640, 12, 12), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(640) % 2)
    run = Run(tmp_path / "run")
    train = ["train", "cgan", "--data", "data.npz", "--epochs", "30", "--run", "run", "--on-collapse", "ignore"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (tmp_path / "log").open("w") as log:
        torchrun = subprocess.Popen([*TORCHRUN, *train], cwd=tmp_path, env=environment, stdout=log, stderr=log)
        before = wait_for_checkpoint(run, torchrun)
        trainers = [one for one in psutil.Process(torchrun.pid).children(recursive=True) if "train" in one.cmdline()]
        assert len(trainers) == 2
        trainers[-1].kill()
        assert torchrun.wait(300) == 0, (tmp_path / "log").read_text()
    said = (tmp_path / "log").read_text()
    assert "30 epochs done" in said
    steps = [row["step"] for row in run.read_stats()]
    assert steps == sorted(set(steps))
    assert run.checkpoints()[-1] == run.checkpoint_path(30 * 18)
    assert before < 30 * 18


def wait_for_checkpoint(run: Run, torchrun: subprocess.Popen[bytes]) -> int:
    """Return the step of the first checkpoint, once it is there."""
    until = time.monotonic() + 300
    while not run.checkpoints():
        assert torchrun.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)  # nothing tells of a file that another process writes
    return int(run.checkpoints()[0].stem.removeprefix("step-"))
