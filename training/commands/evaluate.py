"""`faussaire evaluate`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import DataDir, Device, Images, OwnData, Terminal, check_own_data, open_workspace
from training.errors import WeightsUnavailable
from training.evaluation import IMAGES

if TYPE_CHECKING:
    import torch

    from training.measures.inception import Inception


def evaluate(
    model: Annotated[Path, typer.Argument(help="ONNX file that 'export' wrote, or run folder that 'train' wrote.")],
    images: Images = IMAGES,
    inception: Annotated[
        str | None,
        typer.Option(
            help="Measure FID on Inception's features too, with the weights in this file, or 'download'; this takes "
            "an hour on one CPU core.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the report; the run's, or runs/evaluations/NAME, if absent.")
    ] = None,
    data_name: OwnData = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Measure what a generator draws, and write evaluation.json and evaluation.html."""
    check_own_data(model, data_name)
    from training.evaluation.report import rows

    workspace = open_workspace(data_dir, device)
    network = None if inception is None else _load_inception(inception, workspace.device)
    measured, page = workspace.evaluate(model, images, output, network, data_name)
    table = Table("measure", "drawn", "real", "is", title=measured.model)
    for row in rows(measured):
        table.add_row(row.name, row.drawn, row.real, row.meaning)
    shown = Console()
    shown.print(table)
    shown.print(f"by {measured.judge}; {page} has the pictures")


def _load_inception(weights: str, device: "torch.device") -> "Inception | None":
    """Without weights, print one line and return None: the other measures need none."""
    from training.measures.inception import Inception

    try:
        return Inception(None if weights == "download" else Path(weights), device)
    except WeightsUnavailable as error:
        Terminal().say(f"FID on Inception's features is left out: {error}")
        return None
