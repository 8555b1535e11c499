"""`faussaire dataset`"""

from pathlib import Path
from typing import Annotated

import typer

from latent.containers import Kind
from latent.dataset import Balance
from training.commands.terminal import Terminal
from training.errors import TrainingError

FROM_RECIPE = {
    "items": "--items",
    "kind": "--format",
    "shards": "--shards",
    "seed": "--seed",
    "balance": "--balance",
    "style": "--style",
    "name": "--name",
}
"""Options that stand in a recipe."""


def dataset(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shards.")],
    model: Annotated[
        Path | None, typer.Option(help="ONNX file that 'export' wrote, to draw here.", show_default=False)
    ] = None,
    service: Annotated[
        str | None, typer.Option("--from", help="URL of a service, to draw there.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Which of the service's models; its default if absent.", show_default=False)
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="FAUSSAIRE_KEY", help="API key, if the service asks for one.", show_default=False),
    ] = None,
    items: Annotated[int, typer.Option(min=1, max=2**53, help="Images of the whole data set.")] = 60_000,
    kind: Annotated[
        Kind,
        typer.Option(
            "--format", help="MNIST's own files in a tar, a WebDataset tar, a Parquet file, or a zip of PNGs."
        ),
    ] = "idx",
    shards: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many files to split it into.")] = 1,
    number: Annotated[
        int | None,
        typer.Option("--shard", min=0, help="Write this shard alone, from 0; all if absent.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Decides every image.")] = 0,
    balance: Annotated[Balance, typer.Option(help="Classes in turn, or each drawn.")] = "even",
    style: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE holds a style code; the others are drawn.", show_default=False),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="The dataset.json of a data set: draw its files again.", show_default=False),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare the folder with --recipe; draw nothing.")] = False,
) -> None:
    """Draw a labelled data set. Each shard can be drawn alone; the same command again goes on where it stopped."""
    from training.export.recipe import Job, Recipe, compare
    from training.export.shards import Service, draw_shards, fetch_shards, parse_styles

    told = None if recipe is None else Recipe.read(recipe)
    if told is not None:
        _check_options(context)
    job = Job(kind, items, shards, seed, balance, parse_styles(style or [])) if told is None else told.job
    if number is not None and number >= job.shards:
        raise TrainingError(f"--shard must be from 0 to {job.shards - 1}")
    numbers = range(job.shards) if number is None else [number]
    if check:
        if told is None:
            raise TrainingError("--check compares the folder with a recipe; give --recipe FILE")
        compare(output, told, numbers, Terminal())
    elif model is not None and service is None:
        draw_shards(output, job, numbers, model, Terminal(), told)
    elif service is not None and model is None:
        fetch_shards(output, job, numbers, Service(service, name, key), Terminal(), told)
    else:
        raise TrainingError("give either --model FILE, to draw here, or --from URL, to have a service draw")


def _check_options(context: typer.Context) -> None:
    """Raises TrainingError for an option that the recipe has."""
    for name, option in FROM_RECIPE.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise TrainingError(f"the recipe has what {option} says; leave {option} out")
