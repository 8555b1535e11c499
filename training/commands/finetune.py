"""`faussaire finetune`"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import DataDir, Device, open_workspace
from training.files import write_text

if TYPE_CHECKING:
    from training.studies.finetuning import Course


def finetune(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder whose networks to begin with.")],
    data_name: Annotated[
        str, typer.Option("--data", help="The new images: a data set's name, or a folder, as for 'train'.")
    ],
    freeze: Annotated[
        list[str] | None,
        typer.Option(
            help="Layers that do not learn: 'generator:-2' is all of G but its last two, 'discriminator:1' is the "
            "first of D. May be given for each network.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the new data.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides every random draw.")] = 0,
    scratch: Annotated[
        bool, typer.Option(help="Train from scratch for as many epochs too, and say what was saved.")
    ] = True,
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/finetuned/SOURCE-DATA-SEED if absent.")] = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Train a run's generator on other images. The same command again goes on where it stopped."""
    from training.datasets.images import plain_name
    from training.evaluation.quick import Yardstick
    from training.loop.run import Run
    from training.studies.finetuning import begin_finetuning, save_courses, train_course

    workspace, origin, data_name = open_workspace(data_dir, device), Run(source), plain_name(data_name)
    fresh = {"data": data_name, "seed": seed, "epochs": epochs, "start": "", "freeze": ()}
    config = origin.read_config().model_copy(update=fresh).shorten_head_start()
    tuned = config.model_copy(update={"start": plain_name(str(source)), "freeze": tuple(freeze or ())})
    images = workspace.load(data_name, train=True, frame=config.frame)
    judge = workspace.load_or_train_judge(data_name, workspace.device, config.frame)
    test = workspace.load(data_name, train=False, frame=config.frame)
    yardstick = Yardstick.against("fid", judge, test.to(workspace.device))
    folder = Run(run or workspace.root / "finetuned" / f"{source.name}-{images.card.name}-{seed}")
    begin_finetuning(folder, origin, tuned, images, workspace.device)
    courses = [train_course(folder, tuned, images, yardstick, workspace.display, "fine-tuned")]
    if scratch:
        beside = Run(folder.folder / "scratch")
        courses.append(train_course(beside, config, images, yardstick, workspace.display, "from scratch"))
    save_courses(folder.folder / "finetune.png", courses)
    _show(folder.folder, courses)


def _show(folder: Path, courses: "list[Course]") -> None:
    from training.studies.finetuning import measure_saving

    table = Table("epoch", "images", *(f"FID, {course.title}" for course in courses))
    for points in zip(*(course.points for course in courses), strict=False):
        distances = ("" if point.fid is None else f"{point.fid:.2f}" for point in points)
        table.add_row(str(points[0].epoch), f"{points[0].images:,}", *distances)
    shown = Console()
    shown.print(table)
    if len(courses) == 2:
        saving = measure_saving(*courses)
        write_text(folder / "finetune.json", json.dumps(saving.model_dump(), indent=2) + "\n")
        shown.print(saving.sentence(), soft_wrap=True, highlight=False)
    shown.print(f"{folder}: 'faussaire export' and 'faussaire evaluate' take it; finetune.png has the curves")
