"""`faussaire publish`"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from latent.card import MODEL_NAME
from training.commands.terminal import DataDir, Device, Images, Models, Terminal, open_workspace, show_release
from training.errors import Unfit
from training.evaluation import IMAGES
from training.files import slug

if TYPE_CHECKING:
    from training.publishing.gate import Comparison, Measures

WORSE = 3
"""The exit code if the new generator is worse than the published one."""

KEPT = 3


def publish(
    run: Annotated[Path, typer.Argument(help="Run folder that 'train' wrote.")],
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
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Export a run's generator into the models folder, unless it is worse than the published one of its name.

    Both are measured by one protocol. If the new one is worse, nothing changes and the exit code is 3.
    """
    from training.loop.run import Run
    from training.publishing.gate import Protocol, compare, find_equal, measure_all
    from training.publishing.signing import Signer
    from training.publishing.versions import Versions

    workspace, opened = open_workspace(data_dir, device), Run(run)
    config = opened.read_config()
    versions = Versions.find(models, _check_name(name or slug(run.resolve().stem) or "generator"))
    versions.check_may_publish(canary)
    signer = None if sign is None else Signer(sign)
    with workspace.export_aside(opened, versions.name) as made:
        if (known := find_equal(made, versions.meant)) is not None:
            _say(f"{known} draws the same already; nothing was changed")
            return
        judge = workspace.load_or_train_judge(config.data, frame=config.frame)
        protocol = Protocol.of(judge, workspace.load_of(opened, train=False), images)
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


def _check_name(name: str) -> str:
    """Raises Unfit."""
    if re.fullmatch(MODEL_NAME, name) is None:
        raise Unfit(f"'{name}' cannot be a model's name; give --name 1 to 63 lower-case letters, digits and hyphens")
    return name


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
