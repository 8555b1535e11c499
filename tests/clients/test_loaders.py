"""Loaders that people have, as they are: each reads a data set from the address of a running service.

They stand in an environment of their own, .venv/loaders, so each test runs a program there.
"""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from torchvision.datasets import MNIST

from service.settings import ROOT

LOADERS = ROOT / ".venv/loaders/bin/python"

PARQUET = "/v1/datasets/part-{:05d}-of-00002.parquet?model=mnist-cgan&n=600&seed=3"
TAR = "/v1/datasets/part-{{00000..00001}}-of-00002.tar?model=mnist-cgan&n=600&seed=3"

DATASETS = """
import datasets

for streaming in (False, True):
    read = datasets.load_dataset("parquet", data_files=urls, split="train", streaming=streaming)
    assert isinstance(read.features["image"], datasets.Image), read.features
    rows = list(read)
    names = read.features["label"].names
    found = [(np.asarray(row["image"]), names[row["label"]], row["index"]) for row in rows]
    told.append(found)
"""

PANDAS = """
import pandas

table = pandas.concat([pandas.read_parquet(url) for url in urls])
told.append([(opened(i["bytes"]), str(l), n) for i, l, n in zip(table["image"], table["label"], table["index"])])
"""

POLARS = """
import polars

table = polars.scan_parquet(urls).collect()
told.append([(opened(row["image"]["bytes"]), str(row["label"]), row["index"]) for row in table.to_dicts()])
assert polars.scan_parquet(urls).filter(polars.col("index") == 301).collect()["label"].to_list() == [1]
"""

DUCKDB = """
import duckdb, duckdb_extension_httpfs

(extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension")
database = duckdb.connect()
database.execute(f"LOAD '{extension}'")
assert database.execute(f"SELECT label, count(*) FROM '{urls[0]}' GROUP BY label ORDER BY label").fetchall() == [
    (label, 30) for label in range(10)
]
rows = database.execute('SELECT image.bytes, label, "index" FROM read_parquet($1) ORDER BY "index"', [urls]).fetchall()
told.append([(opened(png), str(label), index) for png, label, index in rows])
"""

WEBDATASET = """
import webdataset

pairs = webdataset.WebDataset(tar, shardshuffle=False).decode("l8").to_tuple("png", "cls", "__key__")
told.append([(image, str(label), int(key)) for image, label, key in pairs])
"""

PROGRAM = """
import hashlib, io, json, sys
from pathlib import Path

import numpy as np
from PIL import Image


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)))


tar, *urls = sys.argv[1:]
told = []
{}
for found in told:
    assert all(image.shape == (28, 28) and image.dtype == np.uint8 for image, _, _ in found)
    pixels = hashlib.sha256(b"".join(image.tobytes() for image, _, _ in found)).hexdigest()
    print(json.dumps([pixels, [label for _, label, _ in found], [index for _, _, index in found]]))
"""


@pytest.fixture(scope="module")
def items(url: str, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The digest of the pixels, the labels and the numbers of all items, from MNIST's own files by torchvision."""
    folder = tmp_path_factory.mktemp("mnist")
    answer = httpx.get(f"{url}/v1/datasets/part-00000-of-00001.tar?format=idx&model=mnist-cgan&n=600&seed=3")
    (folder / "digits.tar").write_bytes(answer.raise_for_status().content)
    subprocess.run(["tar", "-xf", "digits.tar"], cwd=folder, check=True)
    read = MNIST(str(folder), train=True)
    assert np.array_equal(read.targets.numpy(), np.arange(600) % 10)
    labels = [str(label) for label in read.targets.tolist()]
    return [hashlib.sha256(read.data.numpy().tobytes()).hexdigest(), labels, list(range(600))]


@pytest.mark.parametrize("program", [DATASETS, PANDAS, POLARS, DUCKDB, WEBDATASET], ids=lambda code: code.split()[1])
def test_a_loader_reads_the_images_with_their_labels(url: str, items: list[Any], program: str, tmp_path: Path) -> None:
    if not LOADERS.exists():
        pytest.skip("make .venv/loaders/installed has not been run")
    shards = [url + PARQUET.format(shard) for shard in range(2)]
    command: list[str | Path] = [LOADERS, "-W", "error::ResourceWarning", "-c", PROGRAM.replace("{}", program, 1)]
    home = {"HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1", "PATH": "/usr/bin:/bin"}
    said = subprocess.run(
        [*command, url + TAR.format(), *shards], env=home, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    told = [json.loads(line) for line in said.stdout.splitlines()]
    assert told == [items] * len(told)
    assert told
