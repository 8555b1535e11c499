"""The whole path: real images, training, one ONNX file, a real server, PNGs over a socket, and metrics."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from latent import Codes, draw_classes, draw_noise, draw_styles
from tests.end_to_end.conftest import faussaire, serving
from training.export.model import Model


@pytest.fixture(scope="module")
def model(data_dir: Path, workplace: Path) -> Path:
    """Train and export a model by the command line, in seconds."""
    folder = workplace
    torch.manual_seed(0)
    faussaire(
        folder, "train", "infogan", "--data", "mnist", "--data-dir", str(data_dir), "--epochs", "3", "--head-start", "2"
    )
    run = "runs/infogan-mnist-0"
    faussaire(folder, "export", run, "-o", "models/tiny.onnx", "--data-dir", str(data_dir))
    faussaire(folder, "evaluate", "models/tiny.onnx", "--data-dir", str(data_dir))
    return folder / "models" / "tiny.onnx"


def test_what_was_trained_is_what_is_served(model: Path, tmp_path: Path) -> None:
    opened = Model(model)
    space = opened.card.space
    names = [code.name for code in space.classes]
    assert sorted(names) == list("0123456789")
    value = space.styles[0].high / 2
    with serving(model.parent, tmp_path) as client:
        for name in names:
            body = {"class": name, "style": [value], "seed": 11, "index": 3}
            response = client.post("/v1/images", json=body)
            served = np.asarray(Image.open(io.BytesIO(response.content)))
            styles = draw_styles(space, 11, 3, 1)
            styles[:, 0] = value
            codes = Codes(draw_noise(space, 11, 3, 1), space.one_hot(np.array([names.index(name)])), styles)
            assert np.array_equal(served, opened.generate(codes, 1)[0, :, :, 0])
        sheet = client.post("/v1/images", json={"seed": 12, "n": 16}).content
        stroke = Image.new("L", (100, 140), "white")
        ImageDraw.Draw(stroke).line((60, 20, 40, 120), fill="black", width=12)
        file = io.BytesIO()
        stroke.save(file, "PNG")
        read = client.post("/v1/codes", content=file.getvalue()).json()
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
    assert 'faussaire_requests_total{model="tiny",outcome="ok",route="/v1/images"} 11.0' in metrics
    assert card["training"]["preset"] == "infogan"
    assert read["source"] == "recogniser"
    assert sum(read["classes"].values()) == pytest.approx(1, abs=1e-3)
    assert read["classes"].keys() == set(names)
    assert read["styles"].keys() == {style.name for style in space.styles}
    for style in card["space"]["styles"]:
        assert abs(style["rho"]) <= 1
        assert style["r2"] <= 1
        assert style["low"] <= read["styles"][style["name"]] <= style["high"]
