"""`faussaire promote` and `faussaire rollback`"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from latent.release import version_label
from training.publishing.versions import Versions

Models = Annotated[Path, typer.Option(envvar="FAUSSAIRE_MODELS_DIR", help="Folder that the service reads.")]
Name = Annotated[str, typer.Argument(help="The model's name.")]


def promote(
    name: Name,
    models: Models = Path("models"),
    weight: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Leave it a canary, of this share of seeds.", show_default=False),
    ] = None,
) -> None:
    """Make a model's canary its stable version, or give it another share of seeds."""
    show(Versions.find(models, name).promoted(weight))


def rollback(name: Name, models: Models = Path("models")) -> None:
    """Take a model's canary back; where it has none, go back to the version that was stable before."""
    show(Versions.find(models, name).rolled_back())


def show(versions: Versions) -> None:
    """What the name means now."""
    release, said = versions.known, Console()
    said.print(f"stable: {version_label(versions.name, release.stable)}", highlight=False)
    if release.canary is not None:
        said.print(
            f"canary: {version_label(versions.name, release.canary)}, {release.weight:g} of seeds", highlight=False
        )
    if release.before:
        before = ", ".join(version_label(versions.name, digest) for digest in release.before)
        said.print(f"before: {before}", highlight=False, soft_wrap=True)
