"""The command line: one function a command."""

import errno
import sys
from typing import NoReturn

import typer

from training.commands.compare import compare
from training.commands.dataset import dataset
from training.commands.evaluate import evaluate
from training.commands.export import export
from training.commands.finetune import finetune
from training.commands.publish import publish
from training.commands.release import promote, rollback
from training.commands.seeds import seeds
from training.commands.sweep import sweep
from training.commands.terminal import INTERRUPTED, console
from training.commands.train import train
from training.errors import TrainingError

REFUSED = 2

app = typer.Typer(
    help="Train GAN and InfoGAN generators, measure them, and export them as ONNX files that the service draws from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (train, export, evaluate, compare, seeds, sweep, finetune, dataset, publish, promote, rollback):
    app.command()(command)


def main() -> None:
    """What the `faussaire` command runs: every error a person can mend is one line and exit code 2."""
    try:
        app()
    except TrainingError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail(f"the disk is full ({error.filename or 'while writing'}); free some space, then run the same command")
        _fail(f"{error.filename or 'file'}: {error.strerror or error}; check the path and its permissions")
    except KeyboardInterrupt:
        console.print("interrupted")
        sys.exit(INTERRUPTED)


def _fail(message: str) -> NoReturn:
    console.print(f"error: {message}", soft_wrap=True, markup=False, highlight=False)
    sys.exit(REFUSED)
