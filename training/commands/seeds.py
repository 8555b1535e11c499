"""`faussaire seeds`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import DataDir, Device, Images, console, open_workspace
from training.errors import Unfit
from training.evaluation import IMAGES

if TYPE_CHECKING:
    from training.loop.run import Run
    from training.studies.seeds import SeedResult
    from training.workspace import Workspace


def seeds(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of preset 'infogan'.")],
    images: Images = IMAGES,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("docs/codes.md"),
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Say what the codes of InfoGANs stand for, over several seeds, in one page with their sweeps."""
    from training.loop.run import Run
    from training.studies.seeds import save_page

    workspace = open_workspace(data_dir, device)
    for folder in runs:
        if Run(folder).read_config().codes != "infogan":
            raise Unfit(f"{folder} has no codes to find: its preset is not 'infogan'")
    results = [_measure(workspace, Run(folder), images) for folder in runs]
    save_page(output, results)
    _show(results)
    console.print(f"{output} has the style codes too, and their sweeps")


def _measure(workspace: "Workspace", run: "Run", images: int) -> "SeedResult":
    from training.studies.seeds import measure_seed

    row = workspace.read_or_evaluate(run, images)
    judge = workspace.load_or_train_judge(row.config.data, frame=row.config.frame)
    if not judge.able:
        raise Unfit(f"what the codes of {run.folder} stand for is not known: {judge.protocol()}")
    train, test = (workspace.load_of(run, train=train) for train in (True, False))
    return measure_seed(row, run.folder / "model.onnx", judge, train, test)


def _show(results: "list[SeedResult]") -> None:
    table = Table("network", "data", "seed", "drawn", "read", "NMI", "ARI", "kept", "slants", "FID", "of real")
    for result in results:
        config, measured = result.row.config, result.row.evaluation
        shares = (f"{result.drawn:.2%}", f"{result.read:.2%}", f"{result.information:.3f}", f"{result.rand:.3f}")
        back = (f"{result.kept:.1%}", f"{result.slants:.2f}")
        distances = (f"{measured.drawn['fid']:.2f}", f"{measured.real['fid']:.2f}")
        table.add_row(config.network, config.data, str(config.seed), *shares, *back, *distances)
    Console().print(table)
