"""`faussaire dataset`"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from latent.containers import Kind
from latent.dataset import Balance, Dataset, shard
from training.commands.terminal import console
from training.errors import RunMismatch, TrainingError
from training.export.model import Model
from training.export.shards import Parts, drawn, fetched, held_styles, shard_path, styles_of, write_shard
from training.files import write_text


def dataset(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shards.")],
    model: Annotated[
        Path | None, typer.Option(help="ONNX file that 'export' wrote, to draw here.", show_default=False)
    ] = None,
    service: Annotated[
        str | None, typer.Option("--from", help="URL of a service, to draw there.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Which of the service's models; its default when absent.", show_default=False)
    ] = None,
    items: Annotated[int, typer.Option(min=1, max=2**53, help="Images of the whole data set.")] = 60_000,
    kind: Annotated[
        Kind, typer.Option("--format", help="MNIST's own files in a tar, a WebDataset tar, or a zip of PNGs.")
    ] = "idx",
    shards: Annotated[int, typer.Option(min=1, max=1_000_000, help="Files that it is split into.")] = 1,
    number: Annotated[
        int | None,
        typer.Option("--shard", min=0, help="Write this one alone, from 0; all when absent.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Decides every image.")] = 0,
    balance: Annotated[Balance, typer.Option(help="Classes in turn, or each drawn.")] = "even",
    style: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE holds a style code; the others are drawn.", show_default=False),
    ] = None,
) -> None:
    """Draw a labelled data set. Each shard can be drawn alone; the same command again goes on where it stopped."""
    if (model is None) == (service is None):
        raise TrainingError("give either --model FILE, to draw here, or --from URL, to have a service draw")
    if number is not None and number >= shards:
        raise TrainingError(f"--shard must be from 0 to {shards - 1}")
    held = styles_of(style or [])
    asked = {"format": kind, "seed": seed, "shards": shards, "balance": balance}
    if model is not None:
        opened = Model(model)
        places = held_styles(opened, held)
        origin = {"sha256": hashlib.sha256(model.read_bytes()).hexdigest()}

        def parts(k: int) -> Parts:
            part = shard(items, shards, k)
            return drawn(opened, Dataset(opened.card.space, seed, part.start, part.stop, balance, places), kind)
    else:
        origin = {"service": str(service), "name": name or "its default model"}
        body = asked | {"n": items, "style": held} | ({} if name is None else {"model": name})

        def parts(k: int) -> Parts:
            return fetched(str(service), body | {"shard": k}, len(shard(items, shards, k)))

    claim(output, origin | asked | {"items": items, "styles": held})
    write(output, kind, items, shards, range(shards) if number is None else [number], parts)


def write(
    folder: Path, kind: Kind, items: int, shards: int, numbers: Sequence[int], parts: Callable[[int], Parts]
) -> None:
    """The shards of these numbers, with a bar; each one's checksum is printed as it is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=4) as bar:
        task = bar.add_task(folder.name, total=sum(len(shard(items, shards, k)) for k in numbers), rate="")
        done = 0

        def progress(more: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, advance=more, rate=f"{speed:,.0f} images/s" if speed else "")

        for k in numbers:
            path = shard_path(folder, kind, k, shards)
            checksum = write_shard(path, partial(parts, k), progress)
            done += len(shard(items, shards, k))
            bar.update(task, completed=done)  # also of what was there before
            bar.console.print(f"{checksum}  {path}", soft_wrap=True, highlight=False)


def claim(folder: Path, told: dict[str, object]) -> None:
    """Write down what the folder's shards are of, or check that it is the same. Raises RunMismatch."""
    path = folder / "dataset.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        for name in sorted(before.keys() | told.keys()):
            if before.get(name) != told.get(name):
                raise RunMismatch(
                    f"{folder} holds shards of another data set: its {name} is {before.get(name)}, not "
                    f"{told.get(name)}; choose another folder with --output"
                )
    write_text(path, json.dumps(told, indent=2) + "\n")
