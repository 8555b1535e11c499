"""`faussaire promote`"""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.terminal import Models, Name, show_release


def promote(
    name: Name,
    models: Models = Path("models"),
    weight: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Keep the canary, with this share of seeds.", show_default=False),
    ] = None,
) -> None:
    """Make a model's canary its stable version, or give the canary another share of seeds."""
    from training.publishing.versions import Versions

    show_release(Versions.find(models, name).promote(weight))
