"""Errors that the person at the terminal can mend. The CLI prints the message as one line and exits with 2."""


class TrainingError(Exception):
    """The message says what is wrong and what would put it right."""


class UnknownName(TrainingError):
    """A preset, data set, network, objective or device that does not exist."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        super().__init__(f"unknown {kind} '{name}'; choose one of: {', '.join(known)}")


class Unfit(TrainingError):
    """Choices that do not go together."""


class DataUnavailable(TrainingError):
    """A data set that is not there, or that cannot be read."""


class RunMismatch(TrainingError):
    """The run folder holds a run with another configuration, or on other data."""


class InvalidRecipe(TrainingError):
    """The file is not the recipe of a data set, or not of this model."""


class FolderDiffers(TrainingError):
    """The shards are not those of the recipe."""


class RunInUse(TrainingError):
    """Another process trains in the folder."""


class InvalidRun(TrainingError):
    """The folder is not a run, or has no checkpoint yet."""


class CorruptCheckpoint(TrainingError):
    """A checkpoint that cannot be read."""


class Diverged(TrainingError):
    """A loss became infinite or not a number."""


class ExportRefused(TrainingError):
    """The exported file does not do what the trained generator does."""


class InvalidModel(TrainingError):
    """The file is not a generator of this project's contract."""


class InvalidPicture(TrainingError):
    """The file is not an image that can be read."""


class WeightsUnavailable(TrainingError):
    """The weights of a published network that cannot be read or downloaded."""


class StorageUnavailable(TrainingError):
    """The database of a sweep that cannot be opened."""


class ServiceFailed(TrainingError):
    """A service that refused to draw, or that does not answer."""


class InvalidFolder(TrainingError):
    """A models folder that does not say which file a name means."""


class NoSuchVersion(TrainingError):
    """There is no version to promote or to return to."""


class Interrupted(Exception):
    """Ctrl-C stopped the work between two steps."""

    def __init__(self, step: int, total: int) -> None:
        super().__init__(f"stopped at step {step:,} of {total:,}; the same command goes on from there")
