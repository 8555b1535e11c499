"""Data sets on the disk, as the libraries read them that know their descriptions."""

import json
import subprocess
from pathlib import Path

import pytest

from service.settings import ROOT
from tests.clients.test_loaders import LOADERS
from training.commands.terminal import Terminal
from training.export.recipe import Job
from training.export.shards import draw_shards

CROISSANT = """
import json, sys

import mlcroissant

dataset = mlcroissant.Dataset(jsonld=f"{sys.argv[1]}/croissant.json")
assert not dataset.metadata.issues.errors, dataset.metadata.issues.report()
records = [f"part-0000{shard}-of-00002" for shard in range(2)]
rows = [(name, row) for name in records for row in dataset.records(name)]
assert {row[f"{name}/image"].size for name, row in rows} == {(28, 28)}
print(json.dumps([[int(row[f"{name}/index"]), int(row[f"{name}/label"])] for name, row in rows]))
"""

# The threads by which it downloads may abort the process at its end.
SERVED = (
    CROISSANT.replace('f"{sys.argv[1]}/croissant.json"', "sys.argv[1]")
    + """
import os

sys.stdout.flush()
os._exit(0)
"""
)

HUB = """
import json, sys

import datasets

read = datasets.load_dataset(sys.argv[1], split="train")
assert {row["image"].size for row in read} == {(28, 28)}
print(json.dumps(list(zip(read["index"], read["label"]))))
"""


@pytest.mark.parametrize("program", [CROISSANT, HUB], ids=["mlcroissant", "datasets"])
def test_the_folder_of_a_data_set_is_read_by_its_description(program: str, tmp_path: Path) -> None:
    if not LOADERS.exists():
        pytest.skip("make .venv/loaders/installed has not been run")
    folder = tmp_path / "digits"
    draw_shards(folder, Job("parquet", 30, 2, 5, "even", {}), [0, 1], ROOT / "models/mnist-cgan.onnx", Terminal())
    home = {"HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1", "PATH": "/usr/bin:/bin"}
    command: list[str | Path] = [LOADERS, "-c", program, folder]
    said = subprocess.run(command, env=home, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout.splitlines()[-1]) == [[item, item % 10] for item in range(30)]


def test_a_data_set_of_a_service_is_read_by_the_address_of_its_description(url: str, tmp_path: Path) -> None:
    if not LOADERS.exists():
        pytest.skip("make .venv/loaders/installed has not been run")
    address = f"{url}/v1/datasets/croissant.json?model=mnist-cgan&n=30&seed=5&shards=2"
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command: list[str | Path] = [LOADERS, "-c", SERVED, address]
    said = subprocess.run(command, env=home, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout.splitlines()[-1]) == [[item, item % 10] for item in range(30)]
