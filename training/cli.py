"""The command line."""

import errno
import signal
import sys
from typing import NoReturn

import typer

from training.commands.compare import compare
from training.commands.dataset import dataset
from training.commands.evaluate import evaluate
from training.commands.export import export
from training.commands.finetune import finetune
from training.commands.keys import keys
from training.commands.promote import promote
from training.commands.publish import publish
from training.commands.rollback import rollback
from training.commands.score import score
from training.commands.seeds import seeds
from training.commands.sweep import sweep
from training.commands.terminal import Terminal
from training.commands.train import train
from training.commands.verify import verify
from training.commands.verify_model import verify_model
from training.errors import Interrupted, TrainingError

REFUSED = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Train GAN and InfoGAN generators, measure them, and export them as ONNX files that the service draws from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    train,
    export,
    evaluate,
    compare,
    score,
    seeds,
    sweep,
    finetune,
    dataset,
    verify,
    publish,
    promote,
    rollback,
    verify_model,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(keys, name="keys")


def main() -> None:
    """Run the `faussaire` command. Errors that a person can mend are one line and exit code 2."""
    # SIGTERM has no effect on the first process of a container unless it is handled.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except TrainingError as error:
        _exit(f"error: {error}", REFUSED)
    except OSError as error:
        _exit(f"error: {_explain(error)}", REFUSED)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in ("faussaire", "latent", "training"):
            raise
        _exit(
            f"error: this command needs the package '{error.name}'; install it: pip install 'faussaire[train]'", REFUSED
        )
    except Interrupted as stopped:
        _exit(str(stopped), INTERRUPTED)
    except KeyboardInterrupt:
        _exit("interrupted", INTERRUPTED)


def _explain(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"the disk is full ({error.filename or 'while writing'}); free some space, then run the same command"
    return f"{error.filename or 'file'}: {error.strerror or error}; check the path and its permissions"


def _exit(line: str, code: int) -> NoReturn:
    Terminal().say(line)
    sys.exit(code)
