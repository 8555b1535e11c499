"""`faussaire finetune`"""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import DataDir, Device, choose_device, console, interrupted, judged_by, progress_bar
from training.datasets.images import ImageSet, load_images
from training.evaluation.quick import Yardstick
from training.files import write_text
from training.loop import train as loop
from training.loop.collapse import Watch
from training.loop.run import Config, Run
from training.loop.transfer import begin_from
from training.measures.judge import Judge
from training.studies.finetuning import Course, Point, save_courses, saving


def finetune(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder whose networks to begin with.")],
    data_name: Annotated[
        str, typer.Option("--data", help="The new images: a data set's name, or a folder, as for 'train'.")
    ],
    freeze: Annotated[
        list[str] | None,
        typer.Option(
            help="Layers that do not learn: 'generator:-2' all of G's but the last two, 'discriminator:1' D's first. "
            "May be given for each network.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the new data.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides every random draw.")] = 0,
    scratch: Annotated[bool, typer.Option(help="Train from scratch too, for as long, and say what was saved.")] = True,
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/finetuned/SOURCE-DATA-SEED when absent.")] = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Train a run's generator on other images. The same command again goes on where it stopped."""
    chosen, origin = choose_device(device), Run(source)
    before = origin.read_config()
    images = load_images(data_name, data_dir, train=True)
    config = before.model_copy(update={"data": data_name, "seed": seed, "epochs": epochs, "start": "", "freeze": ()})
    config = config.halved()
    tuned = config.model_copy(update={"start": str(source), "freeze": tuple(freeze or ())})
    judge = judged_by(data_name, images, data_dir, chosen)
    yardstick = Yardstick.against("fid", judge, load_images(data_name, data_dir, train=False).to(chosen))
    folder = Run(run or Path("runs") / "finetuned" / f"{source.name}-{images.card.name}-{seed}")
    if not folder.checkpoints():
        folder.claim(tuned)
        state = loop.initial_state(tuned, images, chosen)
        begin_from(origin, state)
        state.save(folder.checkpoint_path(0))
    courses = [followed(folder, tuned, images, yardstick, judge, "fine-tuned")]
    if scratch:
        beside = Run(folder.folder / "scratch")
        courses.append(followed(beside, config, images, yardstick, judge, "from scratch"))
    save_courses(folder.folder / "finetune.png", courses)
    show(folder, courses)


def followed(run: Run, config: Config, images: ImageSet, yardstick: Yardstick, judge: Judge, title: str) -> Course:
    """Train epoch by epoch, measuring after each; what was measured before is not measured again."""
    device = yardstick.features.device
    path = run.folder / "course.json"
    course = Course.read(path, title)
    steps = len(images) // config.batch
    with progress_bar(f"{title} on {config.data}", steps * config.epochs, config.batch) as report:
        for epoch in range(len(course.points) + 1, config.epochs + 1):
            length = config.model_copy(update={"epochs": epoch})
            state = loop.train(run, length, images, device, report, Watch(judge=judge, say=console.print))
            if state.step < steps * epoch:
                interrupted(state.step, steps * config.epochs)
            learning = sum(w.numel() for w in state.players.generator.parameters() if w.requires_grad)
            distance = yardstick.read(state.average.generator, loop.latent_space(config, images))
            point = Point(epoch=epoch, images=state.step * config.batch, seconds=state.seconds, fid=distance)
            course = course.model_copy(update={"points": (*course.points, point), "learning": learning})
            write_text(path, course.model_dump_json(indent=2) + "\n")
    return course


def show(run: Run, courses: list[Course]) -> None:
    table = Table("epoch", "images", *(f"FID, {course.title}" for course in courses))
    for points in zip(*(course.points for course in courses), strict=False):
        distances = (f"{point.fid:.2f}" for point in points)
        table.add_row(str(points[0].epoch), f"{points[0].images:,}", *distances)
    shown = Console()
    shown.print(table)
    if len(courses) == 2:
        found = saving(*courses)
        write_text(run.folder / "finetune.json", json.dumps(found.model_dump(), indent=2) + "\n")
        shown.print(found.sentence(), soft_wrap=True, highlight=False)
    shown.print(f"{run.folder}: 'faussaire export' and 'faussaire evaluate' take it; finetune.png has the curves")
