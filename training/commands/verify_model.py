"""`faussaire verify-model`"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def verify_model(
    files: Annotated[
        list[Path], typer.Argument(help="ONNX files; their recognisers are verified with them.", metavar="FILE...")
    ],
    keys: Annotated[
        Path, typer.Option("--keys", help="A public key or certificate in PEM, or a folder of them.", exists=True)
    ],
) -> None:
    """Say of each model file whether one of the keys has signed it as it is.

    The signature lies beside the file, in FILE.sig. The exit code is 0 if all files are verified, and 1 if one is not.
    """
    from training.publishing.signing import find_fault, read_keys

    trusted, shown, all_verified = read_keys(keys), Console(), True
    for path in files:
        fault = find_fault(path, trusted) if path.is_file() else "there is no such file"
        all_verified &= fault is None
        shown.print(
            f"{path}: {'verified' if fault is None else f'NOT verified: {fault}'}", soft_wrap=True, markup=False
        )
    if not all_verified:
        raise typer.Exit(1)
