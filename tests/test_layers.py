"""Import-linter's contracts, each shown to break: `make layers` shows that the tree as it is keeps them."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from service.settings import ROOT

PACKAGES = ("faussaire", "latent", "service", "training")

BREAKING = {
    "latent stands on numpy and pydantic alone": ("latent/space.py", "import torch"),
    "training and service never import each other": ("training/files.py", "import service.errors"),
    "the service imports downwards": ("service/errors.py", "import service.settings"),
    "bento.py alone imports BentoML": ("service/app.py", "import bentoml"),
    "planning knows no HTTP, no runtime, no pictures and no metrics": ("service/planning/point.py", "import starlette"),
    "the service's install has no torch in it": ("service/errors.py", "import torch"),
    "training's install has no BentoML in it": ("training/errors.py", "import starlette"),
    "training imports downwards": ("training/errors.py", "import training.files"),
    "no command imports another": ("training/commands/train.py", "import training.commands.export"),
    "the client stands on latent alone": ("faussaire/types.py", "import rich"),
    "the service needs no client": ("service/errors.py", "import faussaire"),
}
"""One import that breaks each contract, and the module that it is added to."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(folder: Path) -> set[str]:
    """The names of the contracts that a tree breaks."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return set(re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE))


def test_every_contract_is_broken_by_an_import_that_it_forbids(copy: Path) -> None:
    for path, statement in BREAKING.values():
        module = copy / path
        module.write_text(f"{module.read_text(encoding='utf-8')}\n{statement}\n", encoding="utf-8")
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    assert broken(copy) == set(BREAKING) == {contract["name"] for contract in contracts}


def test_a_module_without_a_place_breaks_the_layers(copy: Path) -> None:
    for package in ("service", "training"):
        (copy / package / "stray.py").write_text("", encoding="utf-8")
    assert broken(copy) == {"the service imports downwards", "training imports downwards"}
