"""`faussaire train`"""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.terminal import (
    DataDir,
    Device,
    choose_device,
    console,
    interrupted,
    judged_by,
    progress_bar,
)
from training.datasets.images import load_images
from training.datasets.sources import SOURCES
from training.errors import TrainingError
from training.loop import train as loop
from training.loop.collapse import OnCollapse, Watch
from training.loop.run import Config, Run
from training.networks.build import check_fit
from training.networks.gan import NETWORKS
from training.recipes import presets
from training.recipes.objectives import OBJECTIVES


def train(
    preset: Annotated[str, typer.Argument(help=f"One of: {', '.join(presets.PRESETS)}.")],
    data_name: Annotated[
        str,
        typer.Option("--data", help=f"One of: {', '.join(SOURCES)}; or a folder of images, a class a sub-folder."),
    ],
    data_dir: DataDir = Path("data"),
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/PRESET-DATA-SEED when absent.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data; raise it to train a finished run on.")] = 25,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides every random draw.")] = 0,
    batch: Annotated[int | None, typer.Option(min=2, help="Images a step; the preset's when absent.")] = None,
    network: Annotated[
        str | None, typer.Option(help=f"Instead of the preset's: {', '.join(NETWORKS)}.", show_default=False)
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help=f"Instead of the preset's: {', '.join(OBJECTIVES)}.", show_default=False)
    ] = None,
    noise: Annotated[presets.Noise | None, typer.Option(help="Instead of the preset's.", show_default=False)] = None,
    dropout: Annotated[
        float | None, typer.Option(min=0, max=0.9, help="Share of D's activations dropped; the preset's when absent.")
    ] = None,
    lr_d: Annotated[float | None, typer.Option(min=1e-7, max=1, help="Learning rate of D.", show_default=False)] = None,
    lr_g: Annotated[float | None, typer.Option(min=1e-7, max=1, help="Learning rate of G.", show_default=False)] = None,
    head_start: Annotated[
        int | None, typer.Option(min=0, help="Epochs in which only the recogniser trains; the preset's when absent.")
    ] = None,
    on_collapse: Annotated[
        OnCollapse, typer.Option(help="Go back to the last checkpoint, stop, or go on, when a run collapses.")
    ] = "rollback",
    device: Device = "auto",
) -> None:
    """Train a preset on a data set. The same command again goes on where it stopped."""
    config = Config.of(
        preset,
        data=data_name,
        seed=seed,
        epochs=epochs,
        batch=batch,
        network=network,
        objective=objective,
        noise=noise,
        dropout=dropout,
        lr_d=lr_d,
        lr_g=lr_g,
        head_start=head_start,
    )
    check_fit(config.network, config.objective, config.codes)
    images = load_images(data_name, data_dir, train=True)
    if epochs <= config.head_start:
        raise TrainingError(
            f"--epochs must be above --head-start {config.head_start}: in these only the recogniser trains"
        )
    batch = config.batch
    if batch > len(images):
        raise TrainingError(f"--batch {batch} is more than the data set's {len(images)} images")
    folder = Run(run or Path("runs") / f"{preset}-{images.card.name}-{seed}")
    total = epochs * (len(images) // batch)
    chosen = choose_device(device)
    judge = None if on_collapse == "ignore" else judged_by(data_name, images, data_dir, chosen)
    watch = Watch(on_collapse, judge, console.print)
    with progress_bar(f"{preset} on {data_name}", total, batch) as report:
        state = loop.train(folder, config, images, chosen, report, watch)
    if state.step < total:
        interrupted(state.step, total)
    console.print(f"{folder.folder}: {epochs} epochs done in {state.seconds:,.0f} s of training")
