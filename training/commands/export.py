"""`faussaire export`"""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.terminal import DataDir, Device, console, open_workspace


def export(
    run: Annotated[Path, typer.Argument(help="Run folder that 'train' wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Write a run's generator, card included, to one ONNX file, and its recogniser, if it has one, beside it."""
    from training.loop.run import Run

    card = open_workspace(data_dir, device).export(Run(run), output)
    console.print(f"{output}: {output.stat().st_size / 1e6:.2f} MB, {card.training.parameters:,} parameters")
    for figure in card.figures:
        console.print(f"{figure.name}: {figure.value:g} ({figure.protocol})")
