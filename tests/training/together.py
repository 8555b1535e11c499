"""What `test_parallel.py` has two processes do: torchrun starts this file in each."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from training.datasets.images import ImageSet
from training.datasets.sources import SOURCES
from training.loop import train
from training.loop.run import Config, Run
from training.parallel import Group, SharedBatchNorm, joining
from training.progress import quiet

CPU = torch.device("cpu")


def run(group: Group, folder: str) -> None:
    """Train the run whose configuration and images lie in the folder."""
    source = SOURCES["mnist"]
    saved = torch.load(Path(folder) / "digits.pt")
    digits = ImageSet(saved["images"], saved["labels"], source.classes, source.card)
    config = Config.model_validate_json((Path(folder) / "config.json").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "LOG_EVERY", 4)
        patch.setattr(train, "fast_precision", lambda _: torch.float32)
        train.train_run(Run(Path(folder)), config, digits, CPU, quiet, group=group)


def norm(group: Group) -> None:
    """Compare batch norm over the rows of both with torch's over all rows."""
    torch.manual_seed(1)
    values = torch.randn(8, 3, 4, 4)
    whole, shared = nn.BatchNorm2d(3), SharedBatchNorm(nn.BatchNorm2d(3), group.size)
    wanted_in, found_in = values.clone().requires_grad_(), group.part(values).clone().requires_grad_()
    wanted, found = whole(wanted_in), shared(found_in)
    torch.testing.assert_close(found, group.part(wanted))
    wanted.pow(3).sum().backward()
    found.pow(3).sum().backward()
    assert wanted_in.grad is not None
    torch.testing.assert_close(found_in.grad, group.part(wanted_in.grad))
    torch.testing.assert_close(shared.running_var, whole.running_var)
    torch.testing.assert_close(shared.eval()(values), whole.eval()(values))


def agree(group: Group) -> None:
    assert group.size == 2
    assert group.agree(asked=group.rank == 1)
    assert not group.agree(asked=False)
    assert group.follow(group.rank) == 0
    mine = [torch.full((2, 2), float(group.rank)), torch.tensor(4.0 * group.rank)]
    group.average(mine)
    assert [tensor.mean().item() for tensor in mine] == [0.5, 2.0]


TASKS: dict[str, Callable[..., None]] = {"run": run, "norm": norm, "agree": agree}

if __name__ == "__main__":
    torch.set_num_threads(1)
    with joining(CPU) as (joined, _):
        TASKS[sys.argv[1]](joined, *sys.argv[2:])
