"""`faussaire compare`"""

from pathlib import Path
from typing import Annotated

import torch
import typer

from training import comparison, data, evaluation, loop, presets
from training.collapse import Watch
from training.commands.evaluate import evaluated
from training.commands.terminal import DataDir, Device, choose_device, console, interrupted, judged_by, progress_bar
from training.run import Config, Run

PAIRS = [(preset, name) for name in ("mnist", "fashion-mnist") for preset in presets.PRESETS]


def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run folders; every preset on MNIST and Fashion-MNIST when absent.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=3, help="Passes over the data that each preset gets.")] = 10,
    images: Annotated[int, typer.Option(min=100, help="How many images to measure each by.")] = evaluation.IMAGES,
    output: Annotated[Path, typer.Option("--output", "-o", help="The table to write.")] = Path("docs/results.md"),
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Train what is missing, evaluate what is new, and write the table. The same command again goes on."""
    chosen = choose_device(device)
    folders = [Run(path) for path in runs] if runs else [budgeted(*pair, epochs, data_dir, chosen) for pair in PAIRS]
    for run in folders:
        newest = run.checkpoints()[-1:] or [run.folder]
        done = run.folder / "evaluation.json"
        fresh = done.exists() and done.stat().st_mtime >= newest[0].stat().st_mtime
        if not fresh or comparison.read(run).evaluation.images != images:
            evaluated(run.folder, images, None, data_dir, chosen)
    comparison.save_table(output, [comparison.read(run) for run in folders])
    console.print(f"{output}: {len(folders)} runs")


def budgeted(preset: str, data_name: str, epochs: int, data_dir: Path, device: torch.device) -> Run:
    """A preset's run of so many epochs, its recogniser's head start among them; trained where it is not yet."""
    head_start = min(presets.preset(preset).head_start, epochs // 2)
    config = Config.of(preset, data=data_name, seed=0, epochs=epochs, head_start=head_start)
    run = Run(Path("runs") / "compare" / f"{preset}-{data_name}-0")
    images = data.load(data_name, data_dir, train=True)
    total = epochs * (len(images) // config.batch)
    watch = Watch(judge=judged_by(data_name, images, data_dir, device), say=console.print)
    with progress_bar(f"{preset} on {data_name}", total, config.batch) as shown:
        state = loop.train(run, config, images, device, shown, watch)
    if state.step < total:
        interrupted(state.step, total)
    return run
