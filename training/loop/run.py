"""A run is a folder: its resolved configuration, statistics, pictures and checkpoints."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from latent import LatentSpace
from latent.faults import explain
from training.datasets.contents import Contents
from training.errors import InvalidRun, RunInUse, RunMismatch
from training.files import Locked, locking, write_text
from training.recipes import presets
from training.recipes.presets import Codes, Noise

KEPT_CHECKPOINTS = 2

MAY_DIFFER = ("epochs", "data")
"""Settings that may change while a run goes on: its length, and how the path of the data is written."""


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
    decay: float = 0.0
    """The last share of the run, in which the learning rates of D and G fall to 0."""
    start: str = ""
    """The checkpoint that its networks came from; none of a run from scratch."""
    freeze: tuple[str, ...] = ()
    """Layers that do not learn, as `generator:-2`."""
    size: int | None = None
    """Height and width of the images; the medians of the data if None."""
    class_codes: int | None = None
    """How many class codes `infogan` finds; as many as the data have classes if None."""

    @classmethod
    def of(cls, preset: str, **chosen: object) -> Self:
        """Return the preset's row with the given changes. Raises UnknownName."""
        row = asdict(presets.preset(preset))
        del row["source"]
        given = {name: value for name, value in chosen.items() if value is not None}
        return cls.model_validate({"preset": preset} | row | given)

    def latent_space(self, classes: tuple[str, ...]) -> LatentSpace:
        """Raises Unfit."""
        return presets.latent_space(self.codes, self.noise, classes, self.class_codes)

    @property
    def frame(self) -> tuple[int, int] | None:
        """Height and width, if they were chosen."""
        return None if self.size is None else (self.size, self.size)

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
    def contents_path(self) -> Path:
        return self.folder / "data.json"

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
            return Config.model_validate_json(self.config_path.read_bytes())
        except FileNotFoundError:
            raise InvalidRun(
                f"{self.folder} is not a run: it has no config.json; name the folder that 'faussaire train' wrote"
            ) from None
        except ValidationError as error:
            raise InvalidRun(f"{self.config_path}: {explain(error)}; restore the file or start a new run") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training in the folder. Raises RunInUse."""
        try:
            with locking(self.folder / "lock"):
                yield
        except Locked as held:
            raise RunInUse(
                f"{self.folder} is in use: {held} trains there; wait for its end, or train in another folder with --run"
            ) from None

    def claim(self, config: Config, contents: Contents | None = None) -> str | None:
        """Write the configuration, and what the data hold. What the folder says already must be the same, but for the
        length of the run and the path of the data.

        Returns a line for a person if pictures have other names. Raises RunMismatch.
        """
        if self.config_path.exists():
            before = self.read_config()
            differing = [name for name, value in before if name not in MAY_DIFFER and value != getattr(config, name)]
            if differing:
                name = differing[0]
                raise RunMismatch(
                    f"{self.folder} holds a run with {name}={getattr(before, name)}, not {getattr(config, name)}; "
                    "choose another folder with --run"
                )
        renamed = None if contents is None else self.compare(contents, config.data)
        if contents is not None:
            write_text(self.contents_path, contents.model_dump_json(indent=1) + "\n")
        write_text(self.config_path, config.model_dump_json(indent=2) + "\n")
        return renamed

    def compare(self, contents: Contents, data: str) -> str | None:
        """Check that data hold what they held when the run began, if the folder says it.

        Returns a line for a person if only names differ. Raises RunMismatch.
        """
        before = self.read_contents()
        change = None if before is None else before.difference(contents)
        if before is None or change is None:
            return None
        if before.digest == contents.digest:
            return f"{data}: {change}; the pixels are the same, so the run goes on"
        trained = self.read_config().data
        what = f"{data} has changed since {self.folder} was trained on it"
        if trained != data:
            what = f"{self.folder} was trained on {trained}, not on {data}"
        raise RunMismatch(
            f"{what}: {change}; bring the data back as they were to go on with this run, or train another with --run "
            "FOLDER"
        )

    def read_contents(self) -> Contents | None:
        """What the data held; None of a run of an older make. Raises InvalidRun."""
        try:
            return Contents.model_validate_json(self.contents_path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise InvalidRun(
                f"{self.contents_path} is damaged; bring it back, or move it elsewhere if the data have not changed"
            ) from None

    def read_stats(self) -> list[dict[str, float]]:
        """Return all complete rows: a crash may have cut the last one."""
        if not self.stats_path.exists():
            return []
        rows = []
        for line in self.stats_path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(json.JSONDecodeError):
                row = json.loads(line)
                rows += [row] if isinstance(row, dict) and "step" in row else []
        return rows

    def rewind_stats(self, step: int) -> None:
        """Remove the rows written after the checkpoint from which training continues."""
        kept = [row for row in self.read_stats() if row["step"] <= step]
        write_text(self.stats_path, "".join(json.dumps(row) + "\n" for row in kept))

    def append_stats(self, row: dict[str, float]) -> None:
        with self.stats_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
