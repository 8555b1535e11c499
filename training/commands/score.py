"""`faussaire score`"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import DataDir, console, open_workspace


def score(
    models: Annotated[list[Path], typer.Argument(help="ONNX files of generators whose images have labels.")],
    seeds: Annotated[int, typer.Option(min=1, help="How many classifiers learn from the images of each model.")] = 5,
    images: Annotated[
        int | None,
        typer.Option(min=100, help="How many images each learns from; as many as there are real ones if absent."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("docs/scores.md"),
    data_dir: DataDir = Path("data"),
) -> None:
    """Say what drawn images are worth as training data, beside real ones. The same command again goes on."""
    from training.studies.scores import save_page
    from training.studies.spread import show_spread

    workspace = open_workspace(data_dir, "cpu")
    scores = [workspace.score(model, seeds, images) for model in models]
    save_page(output, scores)
    table = Table("model", "by drawn images", "by real images", "gap, points")
    for row in scores:
        table.add_row(row.name, show_spread(row.drawn), show_spread(row.real), f"{100 * row.gap:.2f}")
    Console().print(table)
    console.print(f"{output} has the table")
