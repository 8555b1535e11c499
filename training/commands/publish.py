"""`faussaire publish`"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from latent.card import MODEL_NAME
from training.commands.export import exported
from training.commands.release import Models, show
from training.commands.terminal import DataDir, Device, choose_device, judged_by, stages_bar
from training.datasets.images import load_images
from training.errors import Unfit
from training.evaluation import evaluation
from training.export.generator import name_of
from training.export.model import Model
from training.files import digest
from training.loop.run import Run
from training.publishing.gate import Compared, Measures, Protocol, compared, draws_the_same
from training.publishing.versions import Versions

WORSE = 3
"""exit code of a generator that is worse than the published one"""

KEPT = 3


def publish(
    run: Annotated[Path, typer.Argument(help="Run folder that 'train' wrote.")],
    models: Models = Path("models"),
    name: Annotated[
        str | None, typer.Option(help="The model's name; that of the run's folder when absent.", show_default=False)
    ] = None,
    canary: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Publish as a canary that draws this share of seeds.", show_default=False),
    ] = None,
    keep: Annotated[int, typer.Option(min=2, help="Versions that stay: the stable one and those before it.")] = KEPT,
    images: Annotated[int, typer.Option(min=100, help="How many images to measure each by.")] = evaluation.IMAGES,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Export a run's generator into the models folder, unless it is worse than the one that is published by its name.

    Both are measured by one protocol. A worse one is exit code 3, and leaves all as it was.
    """
    chosen = choose_device(device)
    opened = Run(run)
    config = opened.read_config()
    named = _checked(name_of(run.resolve()) if name is None else name)
    versions = Versions.find(models, named)
    versions.check_may_publish(canary)
    with TemporaryDirectory() as folder:
        made = Path(folder) / f"{named}.onnx"
        exported(opened, made, data_dir, chosen)
        if (known := _known(versions, made)) is not None:
            Console().print(f"{known} draws the same already; nothing was changed", soft_wrap=True, highlight=False)
            return
        test = load_images(config.data, data_dir, train=False)
        judge = judged_by(config.data, load_images(config.data, data_dir, train=True), data_dir, torch.device("cpu"))
        files = [made] if versions.release is None else [versions.stable, made]
        *before, new = _measured(Protocol.of(judge, test, images), files)
        rows = compared(before[0], new) if before else []
        _show(new, rows)
        if any(row.worse for row in rows):
            Console().print(f"worse than {versions.stable}; nothing was changed", soft_wrap=True, highlight=False)
            raise typer.Exit(WORSE)
        show(versions.published(made, canary, keep))


def _checked(name: str) -> str:
    if re.fullmatch(MODEL_NAME, name) is None:
        raise Unfit(f"'{name}' cannot be a model's name; give --name 1 to 63 lower-case letters, digits and hyphens")
    return name


def _known(versions: Versions, made: Path) -> Path | None:
    """What is published already of the same weights."""
    new = Model(made)
    return next((path for path in versions.meant if draws_the_same(Model(path), new)), None)


def _measured(protocol: Protocol, files: list[Path]) -> list[Measures]:
    with stages_bar("measuring", len(files)) as say:
        measured = []
        for path in files:
            say(f"{path.name}, {digest(path)[:12]}")
            measured.append(protocol.measure(path))
    return measured


def _show(new: Measures, rows: list[Compared]) -> None:
    by_name = {row.name: row for row in rows}
    table = Table("measure", "published", "new", "may be worse by", "is")
    for name in (*by_name, *(name for name in new if name not in by_name)):
        row, measured = by_name.get(name), new.get(name)
        published, margin = ("none", "") if row is None else (f"{row.published.value:.4f}", f"{row.margin:.4f}")
        verdict = "" if row is None else "worse" if row.worse else "no worse"
        table.add_row(name, published, "none" if measured is None else f"{measured.value:.4f}", margin, verdict)
    Console().print(table)
