"""`faussaire export`"""

from pathlib import Path
from typing import Annotated

import torch
import typer

from latent import GeneratorCard
from latent.card import recogniser_path
from training.commands.terminal import DataDir, Device, choose_device, console, judged_by
from training.datasets.images import load_images
from training.export import generator as exporting
from training.export import recogniser
from training.loop import train as loop
from training.loop.run import Run


def export(
    run: Annotated[Path, typer.Argument(help="Run folder that 'train' wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Write a run's generator, with its card inside, to one ONNX file; and its recogniser, if it has one, beside it."""
    card = exported(Run(run), output, data_dir, choose_device(device))
    console.print(f"{output}: {output.stat().st_size / 1e6:.2f} MB, {card.training.parameters:,} parameters")
    for figure in card.figures:
        console.print(f"{figure.name}: {figure.value:g} ({figure.protocol})")


def exported(run: Run, output: Path, data_dir: Path, device: torch.device) -> GeneratorCard:
    """Write the last checkpoint's generator to `output`, and its recogniser beside it. Raises InvalidRun."""
    config = run.read_config()
    checkpoint = run.last_checkpoint()
    images = load_images(config.data, data_dir, train=True)
    state = loop.initial_state(config, images, device)
    state.load(checkpoint)
    judge = judged_by(config.data, images, data_dir, torch.device("cpu"))
    card = exporting.export(state, config, images, judge, loop.latent_space(config, images), output)
    recogniser_path(output).unlink(missing_ok=True)  # of a generator that is no more
    if state.players.recogniser is not None:
        test = load_images(config.data, data_dir, train=False)
        recogniser.export(state.players.recogniser, card, output, images, test)
    return card
