"""Several processes that train one run together, each on its part of every batch: started by `torchrun`.

They keep the same networks: each draws the same random numbers, works on its own rows, and moves by the mean of all
gradients (Goyal et al. 2017, section 3).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.modules.batchnorm import _BatchNorm

from training.errors import TrainingError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Group:
    """The processes of a run, and which of them this one is."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks to people."""
        return self.rank == 0

    def part(self, rows: Tensor) -> Tensor:
        """Return this process's rows: (size * N, ...) -> (N, ...)"""
        return rows if self.size == 1 else rows.chunk(self.size)[self.rank]

    @torch.no_grad()
    def average(self, tensors: list[Tensor]) -> None:
        """Give each tensor its mean over all processes."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, values in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(values.view_as(tensor))

    def agree(self, *, asked: bool) -> bool:
        """Return whether any process asks for it."""
        if self.size == 1:
            return asked
        answers = torch.tensor(float(asked))
        dist.all_reduce(answers)
        return bool(answers.item())

    def follow(self, value: Value) -> Value:
        """Return what the leading process has; the others wait for it."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values)
        return values[0]

    def share_norms(self, network: nn.Module) -> None:
        """Have the batch norms of a network measure the batches of all processes as one."""
        if self.size == 1:
            return
        for module in list(network.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                    setattr(module, name, SharedBatchNorm(child, self.size))


ALONE = Group()


class SharedBatchNorm(_BatchNorm):
    """Batch norm over the rows of all processes. torch's own needs a GPU."""

    def __init__(self, single: _BatchNorm, size: int) -> None:
        super().__init__(single.num_features, single.eps, single.momentum)
        self.weight, self.bias = single.weight, single.bias
        self.running_mean, self.running_var = single.running_mean, single.running_var
        self.num_batches_tracked = single.num_batches_tracked
        self.size = size

    def _check_input_dim(self, _: Tensor) -> None:
        pass

    def forward(self, values: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W)"""
        if not self.training:
            return super().forward(values)
        exact = values.float()
        axes = [axis for axis in range(values.dim()) if axis != 1]
        across = [1, -1] + [1] * (values.dim() - 2)
        mean: Tensor = _Sum.apply(exact.mean(axes)) / self.size
        centred = exact - mean.view(across)
        variance: Tensor = _Sum.apply(centred.square().mean(axes)) / self.size
        self._remember(mean.detach(), variance.detach(), values.numel() // len(mean) * self.size)
        normal = centred * (variance + self.eps).rsqrt().view(across)
        return (normal * self.weight.view(across) + self.bias.view(across)).to(values.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)


class _Sum(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of theirs."""

    @staticmethod
    def forward(_: object, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: object, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


def leads() -> bool:
    """Whether this process is the one of its run that speaks to people, before it joins the others and after."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joining(device: torch.device) -> Iterator[tuple[Group, torch.device]]:
    """Join the processes that `torchrun` started, if it did; yields the group, and this process's device.

    Raises TrainingError if another process ends.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE, device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    store, rank, size = next(rendezvous("env://"))
    # After a restart the store still has the addresses of processes that are gone.
    fresh = dist.PrefixStore(f"attempt-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)  # type: ignore[attr-defined]
    # Gradients go by nccl where there are GPUs; numbers that Python reads, always by gloo.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=fresh, rank=rank, world_size=size)
    try:
        yield Group(rank, size), device
    except RuntimeError as error:
        if "Connection closed by peer" not in str(error) and "Connection reset" not in str(error):
            raise
        raise TrainingError("another process of this run has ended; its own lines say why") from error
    finally:
        dist.destroy_process_group()
