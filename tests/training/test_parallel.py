"""Two processes train as one does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from tests.training.conftest import ROOT, real_data_dir
from training.datasets.images import ImageSet
from training.files import write_text
from training.loop import train
from training.loop.run import Config, Run
from training.parallel import ALONE, joining
from training.progress import quiet

CPU = torch.device("cpu")
EARLY = 20
"""steps; rounding grows from one to the next"""
CLOSE = 0.002 if real_data_dir() else 0.01
"""Losses of drawn digits, which are copies of few, differ by more."""
TOGETHER = Path(__file__).with_name("together.py")


def in_two(task: str, *arguments: str) -> None:
    """Have two processes do a task of `together.py`."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(TOGETHER)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*torchrun, task, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("preset", ["infogan", "began", "cvae"])
def test_a_run_by_two_processes_is_that_of_one(
    preset: str, tmp_path: Path, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    head_start = 1 if preset == "infogan" else 0
    config = Config.of(preset, data="mnist", seed=5, epochs=2, batch=32, head_start=head_start)
    monkeypatch.setattr(train, "LOG_EVERY", 4)
    monkeypatch.setattr(train, "fast_precision", lambda _: torch.float32)
    one, two = Run(tmp_path / "one"), Run(tmp_path / "two")
    alone = train.train_run(one, config, digits, CPU, quiet)
    write_text(two.config_path, config.model_dump_json())
    torch.save({"images": digits.images, "labels": digits.labels}, two.folder / "digits.pt")
    in_two("run", str(two.folder))
    together = train.initial_state(config, digits, CPU)
    together.load(two.last_checkpoint())
    assert together.step == alone.step
    for row, other in zip(one.read_stats(), two.read_stats(), strict=True):
        if row["step"] <= EARLY:
            assert losses(other) == pytest.approx(losses(row), rel=0.002, abs=CLOSE)


def losses(row: dict[str, float]) -> dict[str, float]:
    """All but that of the style codes, which hang on the class that Q gives to each of few images."""
    return {name: value for name, value in row.items() if name == "step" or ("loss" in name and name != "loss_style")}


@pytest.mark.parametrize("task", ["norm", "agree"])
def test_two_processes(task: str) -> None:
    in_two(task)


def test_a_process_alone_needs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joining(CPU) as (group, _):
        assert group is ALONE
        assert not dist.is_initialized()
    rows = torch.arange(4)
    assert torch.equal(group.part(rows), rows)
