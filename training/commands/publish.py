"""`faussaire publish`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import (
    DataDir,
    Device,
    Images,
    Models,
    OwnData,
    Terminal,
    check_own_data,
    open_workspace,
    show_release,
)
from training.evaluation import IMAGES

if TYPE_CHECKING:
    from training.publishing.gate import Comparison, Measures

WORSE = 3
"""The exit code if the new generator is worse than the published one."""

KEPT = 3


def publish(
    source: Annotated[Path, typer.Argument(help="Run folder that 'train' wrote, or ONNX file that 'export' wrote.")],
    models: Models = Path("models"),
    name: Annotated[
        str | None, typer.Option(help="The model's name; that of the run's folder if absent.", show_default=False)
    ] = None,
    canary: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Publish as a canary that draws this share of seeds.", show_default=False),
    ] = None,
    keep: Annotated[int, typer.Option(min=2, help="Versions to keep: the stable one and those before it.")] = KEPT,
    sign: Annotated[
        Path | None,
        typer.Option(help="Sign the files with this private key, of a curve and in PEM.", show_default=False),
    ] = None,
    images: Images = IMAGES,
    data_name: OwnData = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Put a run's generator, or that of a file, into the models folder, unless it is worse than the published one.

    Both are measured by one protocol. If the new one is worse, nothing changes and the exit code is 3.
    """
    from training.publishing.gate import Protocol, compare, find_equal, measure_all
    from training.publishing.offered import Offered, copied_aside
    from training.publishing.signing import Signer
    from training.publishing.versions import Versions

    check_own_data(source, data_name)
    workspace = open_workspace(data_dir, device)
    offered = Offered.of(source, name, data_name)
    versions = Versions.find(models, offered.name)
    versions.check_may_publish(canary)
    signer = None if sign is None else Signer(sign)
    run = offered.run
    with copied_aside(source) if run is None else workspace.export_aside(run, offered.name) as made:
        if (known := find_equal(made, versions.meant)) is not None:
            _say(f"{known} draws the same already; nothing was changed")
            return
        judge = workspace.load_or_train_judge(offered.data, frame=offered.frame)
        if run is None:
            test = workspace.load(offered.data, train=False, frame=offered.frame)
        else:
            test = workspace.load_of(run, train=False)
        protocol = Protocol.of(judge, test, images)
        files = [made] if versions.release is None else [versions.stable, made]
        *before, new = measure_all(protocol, files, Terminal())
        rows = compare(before[0], new) if before else []
        _show(new, rows)
        if not judge.able:
            _say(f"published without a comparison: {judge.protocol()}")
        if any(row.worse for row in rows):
            _say(f"worse than {versions.stable}; nothing was changed")
            raise typer.Exit(WORSE)
        show_release(versions.publish(made, canary, keep, signer))


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, highlight=False)


def _show(new: "Measures", rows: "list[Comparison]") -> None:
    by_name = {row.name: row for row in rows}
    table = Table("measure", "published", "new", "may be worse by", "is")
    for name in (*by_name, *(name for name in new if name not in by_name)):
        row, measured = by_name.get(name), new.get(name)
        published, margin = ("none", "") if row is None else (f"{row.published.value:.4f}", f"{row.margin:.4f}")
        verdict = "" if row is None else "worse" if row.worse else "no worse"
        table.add_row(name, published, "none" if measured is None else f"{measured.value:.4f}", margin, verdict)
    Console().print(table)
