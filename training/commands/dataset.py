"""`faussaire dataset`"""

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from latent.containers import Kind
from latent.dataset import Balance, Dataset, shard
from training.commands.terminal import console
from training.dataset import held_styles, shard_path, write_shard
from training.errors import RunMismatch, TrainingError
from training.files import write_text
from training.model import Model


def dataset(
    model: Annotated[Path, typer.Argument(help="ONNX file that 'export' wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shards.")],
    items: Annotated[int, typer.Option(min=1, max=2**53, help="Images of the whole data set.")] = 60_000,
    kind: Annotated[
        Kind, typer.Option("--format", help="MNIST's own files in a tar, a WebDataset tar, or a zip of PNGs.")
    ] = "idx",
    shards: Annotated[int, typer.Option(min=1, max=100_000, help="Files that it is split into.")] = 1,
    number: Annotated[
        int | None, typer.Option("--shard", min=0, help="Write this one alone, from 0; all when absent.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Decides every image.")] = 0,
    balance: Annotated[Balance, typer.Option(help="Classes in turn, or each drawn.")] = "even",
    style: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE holds a style code; the others are drawn.", show_default=False),
    ] = None,
) -> None:
    """Draw a labelled data set. Each shard can be drawn alone; the same command again goes on where it stopped."""
    opened = Model(model)
    if number is not None and number >= shards:
        raise TrainingError(f"--shard must be from 0 to {shards - 1}")
    held = held_styles(opened, style or [])
    claim(output, model, items=items, format=kind, shards=shards, seed=seed, balance=balance, styles=style or [])
    numbers = range(shards) if number is None else [number]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=4) as bar:
        task = bar.add_task(output.name, total=sum(len(shard(items, shards, k)) for k in numbers), rate="")

        def progress(drawn: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, advance=drawn, rate=f"{speed:,.0f} images/s" if speed else "")

        for k in numbers:
            mine = shard(items, shards, k)
            part = Dataset(opened.card.space, seed, mine.start, mine.stop, balance, held)
            path = shard_path(output, kind, k, shards)
            checksum = write_shard(path, opened, part, kind, progress)
            bar.console.print(f"{checksum}  {path}", soft_wrap=True, highlight=False)


def claim(folder: Path, model: Path, **chosen: object) -> None:
    """Write down what the folder's shards are of, or check that it is the same. Raises RunMismatch."""
    told = {"model": hashlib.sha256(model.read_bytes()).hexdigest()} | chosen
    path = folder / "dataset.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        for name, value in told.items():
            if before.get(name) != value:
                raise RunMismatch(
                    f"{folder} holds shards of another data set: its {name} is {before.get(name)}, not {value}; "
                    "choose another folder with --output"
                )
    write_text(path, json.dumps(told, indent=2) + "\n")
