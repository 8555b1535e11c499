"""`faussaire seeds`"""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from training.commands.evaluate import compared
from training.commands.terminal import DataDir, Device, choose_device, console, judged_by
from training.datasets.images import load_images
from training.errors import Unfit
from training.evaluation import evaluation
from training.loop.run import Run
from training.studies import seeds as seeding
from training.studies.seeds import Found


def seeds(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of preset 'infogan'.")],
    images: Annotated[int, typer.Option(min=100, help="How many images to measure each by.")] = evaluation.IMAGES,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("docs/codes.md"),
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Say what the codes of InfoGANs stand for, over several seeds, in one page with their sweeps."""
    chosen = choose_device(device)
    for folder in runs:
        if Run(folder).read_config().codes != "infogan":
            raise Unfit(f"{folder} has no codes to be found: its preset is not 'infogan'")
    measured = [_found(Run(folder), images, data_dir, chosen) for folder in runs]
    seeding.save(output, measured)
    _show(measured)
    console.print(f"{output} has the style codes too, and their sweeps")


def _found(run: Run, images: int, data_dir: Path, device: torch.device) -> Found:
    row = compared(run, images, data_dir, device)
    config = row.config
    train, test = (load_images(config.data, data_dir, train=part) for part in (True, False))
    judge = judged_by(config.data, train, data_dir, torch.device("cpu"))
    return seeding.found(row, run.folder / "model.onnx", judge, test)


def _show(measured: list[Found]) -> None:
    table = Table("network", "data", "seed", "drawn", "read", "kept", "slants", "FID", "of real")
    for run in measured:
        config, found = run.row.config, run.row.evaluation
        shares = (f"{run.drawn:.2%}", f"{run.read:.2%}", f"{run.kept:.1%}", f"{run.slants:.2f}")
        distances = (f"{found.drawn.fid:.2f}", f"{found.real.fid:.2f}")
        table.add_row(config.network, config.data, str(config.seed), *shares, *distances)
    Console().print(table)
