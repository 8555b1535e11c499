"""`faussaire sweep`"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import optuna
import torch
import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import INTERRUPTED, DataDir, Device, choose_device, console, judged_by, progress_bar
from training.datasets.images import load_images
from training.errors import TrainingError, UnknownName
from training.evaluation.quick import MEASURES
from training.progress import Progress
from training.recipes import presets
from training.studies import sweep as sweeping
from training.studies.sweep import Interrupted, Sweep, Worker

SHOWN = 10


def sweep(
    preset: Annotated[str, typer.Argument(help=f"One of: {', '.join(presets.PRESETS)}.")],
    data_name: Annotated[str, typer.Option("--data", help="A data set's name, or a folder, as for 'train'.")],
    measure: Annotated[str, typer.Option(help=f"What to tune for: {', '.join(MEASURES)}.")] = "fid",
    trials: Annotated[int, typer.Option(min=1, help="Finished trials that the study is to have.")] = 30,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the images; each is held out once.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the images that each fold trains.")] = 2,
    images: Annotated[
        int | None, typer.Option(min=200, help="How many of the images to use; all when absent.", show_default=False)
    ] = None,
    storage: Annotated[
        str,
        typer.Option(
            envvar="FAUSSAIRE_STORAGE",
            help="URL of the study's database; many machines may share one, such as postgresql+psycopg://...",
        ),
    ] = "sqlite:///runs/sweeps.db",
    seed: Annotated[int, typer.Option(min=0, help="Of the search; give each machine its own.")] = 0,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Tune a preset's rates, batch and dropout. The same command again, here or elsewhere, goes on with the study."""
    presets.preset(preset)
    if measure not in MEASURES:
        raise UnknownName("measure", measure, list(MEASURES))
    chosen = choose_device(device)
    known = load_images(data_name, data_dir, train=True)
    count = min(images or len(known), len(known))
    smallest = (count - -(-count // folds)) // max(sweeping.BATCHES)
    if not smallest:
        raise TrainingError(
            f"{count} images in {folds} folds are fewer than one batch; give more --images or less --folds"
        )
    asked = Sweep(preset, data_name, measure, folds, epochs, count)
    Path("runs").mkdir(exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = sweeping.open_study(asked, storage, seed)
    judge = judged_by(data_name, known, data_dir, chosen)
    with bars() as show:
        worker = Worker(Path("runs") / "sweeps", known.rows(torch.arange(count)), judge, chosen, show, console.print)
        try:
            sweeping.run(study, asked, worker, trials)
        except Interrupted:
            done = sweeping.finished(study)
            console.print(f"stopped with {done} of {trials} trials finished; the same command goes on from there")
            sys.exit(INTERRUPTED)
    show_best(study)


@contextmanager
def bars() -> Iterator[sweeping.Show]:
    """A bar for the fold in training; the one before it goes when the next begins."""
    with ExitStack() as stack:

        def show(title: str, total: int, batch: int) -> Progress:
            stack.close()
            return stack.enter_context(progress_bar(title, total, batch))

        yield show


def show_best(study: optuna.Study) -> None:
    best = sweeping.ranked(study)[:SHOWN]
    if not best:
        raise TrainingError("no trial came to its end; raise --trials, or train for more --epochs")
    names = sorted(best[0].params)
    table = Table("trial", study.user_attrs["measure"], *names, title=study.study_name)
    for trial in best:
        table.add_row(str(trial.number), f"{trial.value:.4g}", *(f"{trial.params[name]:.3g}" for name in names))
    path = Path("runs") / "sweeps" / f"{study.study_name}.png"
    sweeping.save_picture(path, study)
    shown = Console()
    shown.print(table)
    shown.print(f"the mean over {study.user_attrs['folds']} held-out folds; {path} shows all trials. The best again:")
    shown.print(sweeping.command(study), soft_wrap=True, highlight=False)
