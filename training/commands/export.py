"""`faussaire export`"""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.terminal import DataDir, Device, OwnData, check_own_data, console, open_workspace

WORSE = 1.02
"""A rise of the Frechet distance by more than this factor is told."""


def export(
    source: Annotated[
        Path,
        typer.Argument(
            help="Run folder that 'train' wrote; or a generator's ONNX file of older make, to make it exact."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    data_name: OwnData = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Write a run's generator, card included, to one ONNX file, and its recogniser, if it has one, beside it.

    The generator's weights are rounded, so that its arithmetic is exact: every machine draws the same pixels.
    """
    check_own_data(source, data_name)
    from training.export.quality import AFTER, BEFORE
    from training.loop.run import Run

    workspace = open_workspace(data_dir, device)
    card = workspace.renew(source, output, data_name) if source.is_file() else workspace.export(Run(source), output)
    console.print(f"{output}: {output.stat().st_size / 1e6:.2f} MB, {card.training.parameters:,} parameters")
    console.print(f"arithmetic: {card.arithmetic}; the largest sum is {card.largest_sum:.1%} of 2^24")
    for figure in card.figures:
        console.print(f"{figure.name}: {figure.value:g} ({figure.protocol})")
    values = {figure.name: figure.value for figure in card.figures}
    if AFTER not in values:
        return
    rise = values[AFTER] / max(values[BEFORE], 1e-9)
    if rise > WORSE:
        console.print(f"warning: the rounding raised the FID by {rise - 1:.1%}")
