"""The client as `pip install .` installs it: in an environment of its own, without the server and without PyTorch."""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import listening

ABSENT = ("bentoml", "fastapi", "onnx", "onnxruntime", "starlette", "torch", "torchvision")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel, and with its dependencies at their locked versions."""
    folder = tmp_path_factory.mktemp("client")
    source = folder / "source"
    for package in ("faussaire", "latent", "service", "training"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    here = Path(sys.executable).parent
    subprocess.run([here / "hatchling", "build", "-t", "wheel"], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    programs = folder / "venv" / "bin"
    pip: list[str | Path] = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements" / "client.txt"], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    listed = subprocess.run([*pip[:3], "list", "--format", "freeze"], check=True, capture_output=True, text=True).stdout
    size = sum(path.stat().st_size for path in (folder / "venv" / "lib").rglob("*") if path.is_file())
    print(f"\n{len(listed.splitlines())} packages, {size / 1e6:.0f} MB: {' '.join(listed.split())}")
    return programs


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A real server of the models that ship."""
    with listening(create_app(Settings())) as url:
        yield url


def run(*words: object, folder: Path) -> str:
    done = subprocess.run(list(map(str, words)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_of_the_server_or_of_pytorch_is_installed(installed: Path, tmp_path: Path) -> None:
    program = f"import importlib.util as u; print([name for name in {ABSENT} if u.find_spec(name)])"
    assert run(installed / "python", "-c", program, folder=tmp_path) == "[]\n"


def test_readmes_examples_draw_from_a_running_server(installed: Path, url: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    program = "\n\n".join(blocks).replace("http://127.0.0.1:3000", url)
    program += "\nprint(len(pngs), digits.shape, codes.class_, pngs[7] == seven.png)\n"
    (tmp_path / "readme.py").write_text(program, encoding="utf-8")
    said = run(installed / "python", "-W", "error", "readme.py", folder=tmp_path)
    assert said == "10 (100, 28, 28, 1) 7 True\n"


def test_the_command_has_the_service_draw_a_data_set(installed: Path, url: str, tmp_path: Path) -> None:
    command = [installed / "faussaire", "dataset", "--from", url, "-o", "digits", "--items", "300", "--shards", "2"]
    run(*command, folder=tmp_path)
    shards = sorted((tmp_path / "digits").glob("*.tar"))
    assert [path.name for path in shards] == ["part-00000-of-00002.tar", "part-00001-of-00002.tar"]
    for path in shards:
        checksum = path.with_name(f"{path.name}.sha256").read_text(encoding="utf-8").split()[0]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == checksum
    with tarfile.open(shards[0]) as archive:
        archive.extractall(tmp_path / "read", filter="data")
    assert len(MNIST(str(tmp_path / "read"), train=True)) == 150


def test_a_command_that_trains_names_the_extra(installed: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [installed / "faussaire", "train", "gan", "--data", "mnist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'faussaire[train]'" in done.stderr
