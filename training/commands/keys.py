"""`faussaire keys`"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from training.commands.terminal import Terminal

keys = typer.Typer(help="Give and take the API keys of a service.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whose key it is; its metrics and lines of the log have this name.")]
File = Annotated[
    Path, typer.Option("--file", envvar="FAUSSAIRE_KEYS_FILE", help="The file of the keys, which the service reads.")
]
DEFAULT = Path("keys.json")


@keys.command()
def add(
    name: Name,
    expires: Annotated[
        datetime | None, typer.Option(help="Until when it is valid, in UTC; for ever if absent.", show_default=False)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Images a second; any number if absent.", show_default=False)
    ] = None,
    burst: Annotated[
        int | None,
        typer.Option(help="Images at once, beside a rate; what it gives in a second if absent.", show_default=False),
    ] = None,
    quota: Annotated[
        int | None, typer.Option(help="Images a day, from midnight UTC; any number if absent.", show_default=False)
    ] = None,
    file: File = DEFAULT,
) -> None:
    """Make a key, and print it: this once, because the file has only its digest."""
    from training.publishing.keys import add_key

    until = None if expires is None else expires.replace(tzinfo=UTC)
    secret = add_key(file, name, expires=until, rate=rate, burst=burst, quota=quota)
    Terminal().say(f"'{name}' has this key, which is shown only now:")
    sys.stdout.write(f"{secret}\n")


@keys.command("list")
def list_keys(file: File = DEFAULT) -> None:
    """Show the keys: names and limits."""
    from rich.console import Console
    from rich.table import Table

    from training.publishing.keys import read_keys

    table = Table("name", "expires", "images a second", "at once", "a day", "digest")
    for name, key in read_keys(file).keys.items():
        until = "" if key.expires is None else key.expires.astimezone(UTC).isoformat(timespec="minutes")
        limits = [key.rate, key.burst, key.quota]
        table.add_row(name, until, *["" if limit is None else f"{limit:,g}" for limit in limits], key.digest[:12])
    Console().print(table)


@keys.command()
def revoke(name: Name, file: File = DEFAULT) -> None:
    """Take a key away. A service that runs refuses it from its next look at the file."""
    from training.publishing.keys import revoke_key

    revoke_key(file, name)
    Terminal().say(f"'{name}' has no key any more")
