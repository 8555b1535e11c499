"""What can go wrong for the person at the terminal; the CLI prints the message as one line and exits with 2."""


class TrainingError(Exception):
    """The message says what is wrong and what would put it right."""


class UnknownName(TrainingError):
    """A preset, data set, network, objective or device that does not exist."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        super().__init__(f"unknown {kind} '{name}'; choose one of: {', '.join(known)}")


class Unfit(TrainingError):
    """Choices that exist but do not go together."""


class DataUnavailable(TrainingError):
    """The data set is not where it was said to be, or cannot be read."""


class RunMismatch(TrainingError):
    """The run folder holds a run with another configuration."""


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


class WeightsUnavailable(TrainingError):
    """The weights of a published network cannot be had."""


class StorageUnavailable(TrainingError):
    """The database of a sweep cannot be opened."""


class ServiceFailed(TrainingError):
    """A service that was asked for images refused, or answers no more."""


class InvalidFolder(TrainingError):
    """A models folder that does not say which file a name means."""


class NoSuchVersion(TrainingError):
    """There is no version to be promoted, rolled back to, or compared with."""
