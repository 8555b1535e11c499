"""A run is a folder: its resolved configuration, statistics, pictures and checkpoints."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from latent import LatentSpace
from training.errors import InvalidRun, RunMismatch
from training.files import write_text
from training.recipes import presets
from training.recipes.presets import Codes, Noise

KEPT_CHECKPOINTS = 2


class Config(BaseModel):
    """All settings that change what a run computes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str
    network: str
    objective: str
    codes: Codes
    head_start: int
    """Epochs in which only the recogniser learns, sorting real images into classes."""
    critic_steps: int
    lr_d: float
    lr_g: float
    beta1: float
    dropout: float
    noise: Noise
    data: str
    seed: int
    batch: int
    epochs: int
    start: str = ""
    """The checkpoint that its networks came from; none of a run from scratch."""
    freeze: tuple[str, ...] = ()
    """Layers that do not learn, as `generator:-2`."""

    @classmethod
    def of(cls, preset: str, **chosen: object) -> Self:
        """Return the preset's row with the given changes. Raises UnknownName."""
        row = asdict(presets.preset(preset))
        del row["source"]
        given = {name: value for name, value in chosen.items() if value is not None}
        return cls.model_validate({"preset": preset} | row | given)

    def latent_space(self, classes: tuple[str, ...]) -> LatentSpace:
        return presets.latent_space(self.codes, self.noise, classes)

    def shorten_head_start(self) -> Self:
        """Return the same configuration with a head start of at most half the epochs."""
        return self.model_copy(update={"head_start": min(self.head_start, self.epochs // 2)})


@dataclass(frozen=True)
class Run:
    folder: Path

    @property
    def config_path(self) -> Path:
        return self.folder / "config.json"

    @property
    def stats_path(self) -> Path:
        return self.folder / "stats.jsonl"

    def checkpoint_path(self, step: int) -> Path:
        return self.folder / "checkpoints" / f"step-{step:08d}.pt"

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints, oldest first."""
        return sorted((self.folder / "checkpoints").glob("step-*.pt"))

    def last_checkpoint(self) -> Path:
        """Raises InvalidRun."""
        if not self.checkpoints():
            raise InvalidRun(f"{self.folder} has no checkpoint yet; train it for an epoch first")
        return self.checkpoints()[-1]

    def prune_checkpoints(self) -> None:
        for old in self.checkpoints()[:-KEPT_CHECKPOINTS]:
            old.unlink()

    def read_config(self) -> Config:
        """Raises InvalidRun."""
        try:
            return Config.model_validate_json(self.config_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InvalidRun(
                f"{self.folder} is not a run: it has no config.json; name the folder that 'faussaire train' wrote"
            ) from None
        except ValidationError as error:
            field = ".".join(map(str, error.errors()[0]["loc"]))
            raise InvalidRun(
                f"{self.config_path}: field '{field}' is not valid; restore the file or start a new run"
            ) from None

    def claim(self, config: Config) -> None:
        """Write the configuration; if the folder has one, check that only its length differs.

        Raises RunMismatch.
        """
        if self.config_path.exists():
            before = self.read_config()
            differing = [name for name, value in before if name != "epochs" and value != getattr(config, name)]
            if differing:
                name = differing[0]
                raise RunMismatch(
                    f"{self.folder} holds a run with {name}={getattr(before, name)}, not {getattr(config, name)}; "
                    "choose another folder with --run"
                )
        write_text(self.config_path, config.model_dump_json(indent=2) + "\n")

    def read_stats(self) -> list[dict[str, float]]:
        """Return all complete rows: a crash may have cut the last one."""
        if not self.stats_path.exists():
            return []
        rows = []
        for line in self.stats_path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return rows

    def rewind_stats(self, step: int) -> None:
        """Remove the rows written after the checkpoint from which training continues."""
        kept = [row for row in self.read_stats() if row["step"] <= step]
        write_text(self.stats_path, "".join(json.dumps(row) + "\n" for row in kept))

    def append_stats(self, row: dict[str, float]) -> None:
        with self.stats_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
