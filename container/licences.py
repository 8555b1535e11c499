"""The licences of the packages that serve: `python -m container.licences` prints docs/licences.md."""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "serve.txt"

HEAD = """# Licences

The packages that `make serve` and the image install, by their own metadata. `python -m container.licences` prints this
page, and a test compares it.

| package | licence |
| --- | --- |
"""

CLASSIFIER = "License :: OSI Approved :: "

NOT_INSTALLED = "installed on other systems only"


def packages(requirements: Path) -> list[str]:
    """The names in a lock file."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", requirements.read_text(encoding="utf-8"), re.MULTILINE)


def licence(package: Distribution) -> str:
    """By its expression, else its classifiers, else the first line of its text."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return str(metadata["License-Expression"])
    named = [one.removeprefix(CLASSIFIER) for one in metadata.get_all("Classifier", []) if one.startswith(CLASSIFIER)]
    if named:
        return ", ".join(named)
    return str(metadata.json.get("license", "")).strip().partition("\n")[0]


def table(requirements: Path) -> dict[str, str]:
    found = {}
    for name in packages(requirements):
        try:
            found[name] = licence(distribution(name))
        except ModuleNotFoundError:  # importlib's PackageNotFoundError
            found[name] = NOT_INSTALLED
    return found


def page() -> str:
    return HEAD + "".join(f"| {name} | {terms} |\n" for name, terms in table(REQUIREMENTS).items())


if __name__ == "__main__":
    print(page(), end="")
