"""`faussaire rollback`"""

from pathlib import Path

from training.commands.terminal import Models, Name, show_release


def rollback(name: Name, models: Models = Path("models")) -> None:
    """Remove a model's canary; without a canary, return to the stable version before."""
    from training.publishing.versions import Versions

    show_release(Versions.find(models, name).roll_back())
