"""Real images, training, one ONNX file, a real server, PNGs over a socket, and metrics that counted them."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import MNIST

from latent import Codes, draw_classes, draw_noise, draw_styles
from tests.end_to_end.conftest import serving
from tests.training.conftest import drawn_digits, first, real_data_dir
from training import data
from training.data import ImageSet
from training.model import Model

SMALL = 4_000


def write_idx(folder: Path, images: ImageSet, prefix: str) -> None:
    """Images and labels in the files that torchvision's MNIST reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in (("images-idx3", images.images[:, 0]), ("labels-idx1", images.labels)):
        values = array.numpy().astype(np.uint8)
        header = np.array([0x0800 + values.ndim, *values.shape], ">i4").tobytes()
        (folder / f"{prefix}-{kind}-ubyte").write_bytes(header + values.tobytes())


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few thousand digits in MNIST's own files: real ones where they can be had."""
    folder = tmp_path_factory.mktemp("data")
    real = real_data_dir()
    sets = [data.load("mnist", real, train=train) for train in (True, False)] if real else [drawn_digits(SMALL)] * 2
    write_idx(folder / "MNIST" / "raw", first(sets[0], SMALL), "train")
    write_idx(folder / "MNIST" / "raw", first(sets[1], 1_000), "t10k")
    assert len(MNIST(str(folder), train=True)) == SMALL
    return folder


def faussaire(folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).parent / "faussaire"), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def model(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained and exported by the command line in seconds."""
    folder = tmp_path_factory.mktemp("work")
    torch.manual_seed(0)
    faussaire(folder, "train", "infogan", "--data", "mnist", "--data-dir", str(data_dir), "--epochs", "8")
    run = "runs/infogan-mnist-0"
    faussaire(folder, "export", run, "-o", "models/tiny.onnx", "--data-dir", str(data_dir))
    faussaire(folder, "evaluate", "models/tiny.onnx", "--data-dir", str(data_dir))
    return folder / "models" / "tiny.onnx"


def test_what_was_trained_is_what_is_served(model: Path, tmp_path: Path) -> None:
    opened = Model(model)
    space = opened.card.space
    names = [code.name for code in space.classes]
    assert sorted(names) == list("0123456789")
    with serving(model.parent, tmp_path) as client:
        for name in names:
            body = {"class": name, "style": [0.5], "seed": 11, "index": 3}
            response = client.post("/v1/images", json=body)
            served = np.asarray(Image.open(io.BytesIO(response.content)))
            styles = draw_styles(space, 11, 3, 1)
            styles[:, 0] = 0.5
            codes = Codes(draw_noise(space, 11, 3, 1), space.one_hot(np.array([names.index(name)])), styles)
            assert np.array_equal(served, opened.generate(codes, 1)[0, :, :, 0])
        sheet = client.post("/v1/images", json={"seed": 12, "n": 16}).content
        metrics = client.get("/metrics").text
        card = client.get("/v1/models/tiny").json()["card"]
    expected = opened.generate(
        Codes(
            draw_noise(space, 12, 0, 16), space.one_hot(draw_classes(space, 12, 0, 16)), draw_styles(space, 12, 0, 16)
        ),
        16,
    )
    pixels = np.asarray(Image.open(io.BytesIO(sheet)))
    tiles = pixels.reshape(4, 28, 4, 28).swapaxes(1, 2).reshape(16, 28, 28)
    assert np.array_equal(tiles, expected[:, :, :, 0])
    assert 'faussaire_images_total{model="tiny"} 26.0' in metrics
    assert 'faussaire_requests_total{outcome="ok",route="/v1/images"} 11.0' in metrics
    assert card["training"]["preset"] == "infogan"
