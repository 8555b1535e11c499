"""`faussaire train`"""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.terminal import ClassCodes, DataDir, Device, Size, console, open_workspace
from training.datasets.sources import SOURCES
from training.recipes.presets import PRESETS, Noise, OnCollapse

NETWORKS = ", ".join(dict.fromkeys(row.network for row in PRESETS.values()))
OBJECTIVES = ", ".join(dict.fromkeys(row.objective for row in PRESETS.values()))


def train(
    preset: Annotated[str, typer.Argument(help=f"One of: {', '.join(PRESETS)}.")],
    data_name: Annotated[
        str,
        typer.Option(
            "--data",
            help=f"One of: {', '.join(SOURCES)}; or a folder of images, with a sub-folder for each class; or a tar, "
            "zip, Parquet, npz or npy file.",
        ),
    ],
    data_dir: DataDir = Path("data"),
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/PRESET-DATA-SEED if absent.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data. Raise it to train a finished run on.")] = 25,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides every random draw.")] = 0,
    size: Size = None,
    codes: ClassCodes = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Images a step; the preset's if absent.")] = None,
    network: Annotated[
        str | None, typer.Option(help=f"Another network, such as {NETWORKS}.", show_default=False)
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help=f"Another objective, such as {OBJECTIVES}.", show_default=False)
    ] = None,
    noise: Annotated[Noise | None, typer.Option(help="Another noise.", show_default=False)] = None,
    dropout: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="The share of D's activations that is dropped; the preset's if absent."),
    ] = None,
    lr_d: Annotated[float | None, typer.Option(min=1e-7, max=1, help="Learning rate of D.", show_default=False)] = None,
    lr_g: Annotated[float | None, typer.Option(min=1e-7, max=1, help="Learning rate of G.", show_default=False)] = None,
    head_start: Annotated[
        int | None,
        typer.Option(min=0, help="Epochs in which only the recogniser trains; the preset's if absent."),
    ] = None,
    on_collapse: Annotated[
        OnCollapse, typer.Option(help="When a run collapses: return to its last checkpoint, stop, or go on.")
    ] = "rollback",
    device: Device = "auto",
) -> None:
    """Train a preset on a data set. The same command again goes on where it stopped."""
    from training.datasets.images import plain_name
    from training.loop.run import Config
    from training.parallel import leads

    config = Config.of(
        preset,
        data=plain_name(data_name),
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
        size=size,
        class_codes=codes,
    )
    workspace = open_workspace(data_dir, device)
    folder, state = workspace.train(config, run, on_collapse)
    if not leads():
        return
    done = state.step // (len(workspace.load(config.data, train=True, frame=config.frame)) // config.batch)
    console.print(f"{folder.folder}: {done} epochs done in {state.seconds:,.0f} s of training")
