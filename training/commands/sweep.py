"""`faussaire sweep`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import ClassCodes, DataDir, Device, Size, console, open_workspace
from training.errors import Interrupted, TrainingError, Unfit
from training.recipes.presets import PRESETS, preset

if TYPE_CHECKING:
    import optuna

SHOWN = 10
INTERRUPTED = 130


def sweep(
    preset_name: Annotated[str, typer.Argument(metavar="PRESET", help=f"One of: {', '.join(PRESETS)}.")],
    data_name: Annotated[str, typer.Option("--data", help="A data set's name, or a folder, as for 'train'.")],
    measure: Annotated[str, typer.Option(help="What to tune for, such as fid, recall, class_kl.")] = "fid",
    trials: Annotated[int, typer.Option(min=1, help="Finished trials that the study gets.")] = 30,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the images; each is held out once.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the images for each fold.")] = 2,
    size: Size = None,
    codes: ClassCodes = None,
    images: Annotated[
        int | None, typer.Option(min=200, help="How many of the images to use; all if absent.", show_default=False)
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
    import optuna
    import torch

    from training.datasets.images import plain_name
    from training.evaluation.quick import less_is_better
    from training.studies.sweep import Sweep, Worker, check_size, count_finished, open_study, run_trials

    preset(preset_name)
    less_is_better(measure)
    workspace, data_name = open_workspace(data_dir, device), plain_name(data_name)
    frame = None if size is None else (size, size)
    known = workspace.load(data_name, train=True, frame=frame)
    count = min(images or len(known), len(known))
    check_size(count, folds)
    asked = Sweep(preset_name, data_name, measure, folds, epochs, count, known.digest(), size, codes)
    asked.config(seed=0).latent_space(known.classes)
    workspace.root.mkdir(exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(asked, storage, seed)
    judge = workspace.load_or_train_judge(data_name, workspace.device, frame)
    if not judge.able:
        raise Unfit(f"there is nothing to tune for: {judge.protocol()}")
    rows = known.rows(torch.arange(count))
    worker = Worker(workspace.root / "sweeps", rows, judge, workspace.device, workspace.display)
    try:
        run_trials(study, asked, worker, trials)
    except Interrupted:
        done = count_finished(study)
        console.print(f"stopped with {done} of {trials} trials finished; the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from None
    _show(study, workspace.root / "sweeps")


def _show(study: "optuna.Study", folder: Path) -> None:
    from training.studies.sweep import best_command, rank_trials, save_picture

    best = rank_trials(study)[:SHOWN]
    if not best:
        raise TrainingError("no trial finished; raise --trials, or train for more --epochs")
    names = sorted(best[0].params)
    table = Table("trial", study.user_attrs["measure"], *names, title=study.study_name)
    for trial in best:
        table.add_row(str(trial.number), f"{trial.value:.4g}", *(f"{trial.params[name]:.3g}" for name in names))
    path = folder / f"{study.study_name}.png"
    save_picture(path, study)
    shown = Console()
    shown.print(table)
    shown.print(f"the mean over {study.user_attrs['folds']} held-out folds; {path} shows all trials. The best again:")
    shown.print(best_command(study), soft_wrap=True, highlight=False)
