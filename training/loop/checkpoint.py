"""The whole state of a run in one file, so that a run that continues equals a run that never stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.errors import CorruptCheckpoint, RunMismatch
from training.files import Damaged, read_tensors, save_tensors
from training.loop.averaging import Average
from training.loop.players import Players


@dataclass
class State:
    """What training changes: the state of a run between two steps."""

    players: Players
    average: Average
    source: torch.Generator
    step: int = 0
    seconds: float = 0.0
    devices: tuple[str, ...] = ()
    """the kinds of device that took these seconds; none is known of a checkpoint of an older make"""
    rollbacks: int = 0
    returned_to: int = -1
    """the step of the checkpoint that the last rollback took"""
    codes: torch.Tensor | None = None
    """the class code of each real image (N,), once an InfoGAN has found them"""

    def _parts(self) -> dict[str, Any]:
        players = self.players
        parts: dict[str, Any] = {
            "generator": players.generator,
            "discriminator": players.discriminator,
            "optimiser_d": players.optimiser_d,
            "optimiser_g": players.optimiser_g,
            "average": self.average.generator,
        }
        if players.recogniser is not None:
            parts["recogniser"] = players.recogniser
            parts["optimiser_class"] = players.optimiser_class
        return parts

    def _sources(self) -> dict[str, torch.Generator]:
        """Where random numbers come from: the run's own, and torch's, of which dropout takes its."""
        device = self.source.device
        of_torch = torch.default_generator if device.type == "cpu" else torch.cuda.default_generators[device.index or 0]
        return {"source": self.source, "torch": of_torch}

    def save(self, path: Path) -> None:
        saved = {name: part.state_dict() for name, part in self._parts().items()}
        saved |= {
            "balance": self.players.balance,
            "step": self.step,
            "seconds": self.seconds,
            "devices": self.devices,
            "rollbacks": self.rollbacks,
            "returned_to": self.returned_to,
            "codes": self.codes,
        }
        saved |= {name: source.get_state() for name, source in self._sources().items()}
        save_tensors(path, saved)

    def load(self, path: Path) -> str | None:
        """Returns a line for a person if the checkpoint is of another kind of device.

        Raises CorruptCheckpoint and RunMismatch.
        """
        saved = read_checkpoint(path, self.source.device)
        with fitting(path):
            for name, part in self._parts().items():
                part.load_state_dict(saved[name])
            self.players.fit_to_device()
            self.players.balance.copy_(saved["balance"])
            self.step, self.seconds = saved["step"], saved["seconds"]
            self.devices = tuple(saved.get("devices", ()))
            self.rollbacks, self.returned_to = saved["rollbacks"], saved["returned_to"]
            self.codes = saved["codes"]
            same = [go_on(source, saved[name].cpu(), self.step) for name, source in self._sources().items()]
        if all(same):
            return None
        return f"{path} is of another kind of device: random numbers go on from the number of its step, {self.step:,}"

    def networks(self) -> dict[str, nn.Module]:
        """Return the networks under the names that a checkpoint uses."""
        return {name: part for name, part in self._parts().items() if isinstance(part, nn.Module)}


def go_on(source: torch.Generator, state: torch.Tensor, step: int) -> bool:
    """Draw on from a saved state. That of another kind of device does not fit: there, the step is the seed.

    Returns whether it fits.
    """
    fits = len(state) == len(source.get_state())
    if fits:
        source.set_state(state)
    else:
        source.manual_seed(step)
    return fits


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Raises CorruptCheckpoint."""
    try:
        return read_tensors(path, device)
    except Damaged as damage:
        older = sorted(other.name for other in path.parent.glob("step-*.pt") if other.name < path.name)
        rest = f"from {older[-1]} before it" if older else "from the start"
        raise CorruptCheckpoint(
            f"{path} is damaged: {damage}; bring back a copy of it, or delete it, and the same command goes on {rest}"
        ) from damage


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Turn every error that torch raises for tensors of other names or shapes into RunMismatch."""
    try:
        yield
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise RunMismatch(
            f"{path} is whole, but is of other networks than the run's config.json and data make; bring both back as "
            "they were, or start another run with --run"
        ) from error
