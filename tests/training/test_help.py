"""The terminal answers at once: no `--help` imports what takes seconds."""

import json
import subprocess
import sys

import pytest
from typer.main import get_command

from service.settings import ROOT
from training.cli import app

HEAVY = [
    "matplotlib",
    "onnx",
    "onnxruntime",
    "optuna",
    "pyarrow",
    "scipy",
    "torch",
    "torchmetrics",
    "torchvision",
]
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]

HELP = """
import json, sys
from training.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
"""

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {heavy}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Absent())
from training.cli import main
main()
"""


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=["faussaire", *COMMANDS])
def test_help_imports_nothing_that_takes_seconds(words: list[str]) -> None:
    program = [sys.executable, "-c", HELP, *words, "--help"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert set(json.loads(done.stderr)) & set(HEAVY) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["train", "gan", "--data", "mnist"],
        ["evaluate", "models/mnist-cgan.onnx"],
        ["publish", "runs/none"],
        ["dataset", "-o", "none", "--model", "models/mnist-cgan.onnx"],
    ],
    ids=lambda words: words[0],
)
def test_a_command_without_its_packages_names_the_extra(words: list[str]) -> None:
    program = [sys.executable, "-c", WITHOUT.format(heavy=HEAVY), *words]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: this command needs the package '")
    assert done.stderr.count("\n") == 1
    assert "pip install 'faussaire[train]'" in done.stderr
