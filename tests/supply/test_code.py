"""Nothing here runs code that a file brings: no pickle, no `eval`, and `torch.load` with weights alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import ROOT

PACKAGES = ("bench", "container", "faussaire", "latent", "monitoring", "service", "training")

MODULES = {"cloudpickle", "dill", "jsonpickle", "marshal", "pickle", "shelve"}
"""Whose files are programs."""

CALLS = {"compile", "eval", "exec", "__import__"}

LOADERS = {
    "joblib.load": None,
    "pandas.read_pickle": None,
    "torch.jit.load": None,
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "yaml.load": ("Loader", "SafeLoader"),
    "yaml.unsafe_load": None,
}
"""Calls that run code of what they load, unless they have this argument."""

CUSTOM = {"register_custom_ops_library"}
"""Methods by which ONNX Runtime loads a program."""


def faults(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            yield from _faults_of_call(node)


def _faults_of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name in CALLS or name.rpartition(".")[2] in CUSTOM:
        yield name
    if name not in LOADERS:
        return
    needed = LOADERS[name]
    given = {keyword.arg: ast.unparse(keyword.value).rpartition(".")[2] for keyword in call.keywords}
    if needed is None or given.get(needed[0]) != str(needed[1]):
        yield name


FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_code_of_a_file(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"))) == []


def test_there_are_modules_to_look_through() -> None:
    assert len(FILES) > 200


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as harmless",
        "from dill import loads",
        "def late():\n    from marshal import loads",
        "eval(text)",
        "exec(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.UnsafeLoader)",
        "joblib.load(path)",
        "options.register_custom_ops_library(path)",
    ],
)
def test_each_kind_would_be_found(source: str) -> None:
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "json.loads(text)",
        "model.eval()",
        "re.compile(text)",
        "session.load(path)",
    ],
)
def test_what_is_harmless_is_let_pass(source: str) -> None:
    assert list(faults(source)) == []
