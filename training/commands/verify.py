"""`faussaire verify`"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.commands.terminal import Models


def verify(
    files: Annotated[list[Path], typer.Argument(help="Image files.", metavar="FILE...")],
    models: Models = Path("models"),
) -> None:
    """Say of each image file whether a generator of the models folder drew it.

    The codes that the file records are drawn again and compared pixel by pixel. The exit code is 0 if all files are
    verified, and 1 if one is not.
    """
    from latent.origin import ImageOrigin
    from latent.verification import Unverified
    from training.export.verification import Verifier

    verifier, shown, all_verified = Verifier(models), Console(), True
    for path in files:
        try:
            found = verifier.verify(path)
        except Unverified as unverified:
            all_verified = False
            line = f"NOT verified: {unverified.reason}. {unverified.detail}"
        else:
            origin = found.origin
            several = "" if isinstance(origin, ImageOrigin) else f", {origin.n} images"
            line = f"verified: {found.version.label}, seed {origin.seed}, index {origin.index}{several}"
        shown.print(f"{path}: {line}", soft_wrap=True, markup=False, highlight=False)
    if not all_verified:
        raise typer.Exit(1)
