"""A real server reads codes from real handwriting and draws images from these codes."""

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from tests.end_to_end.conftest import ROOT, serving
from tests.training.conftest import first, real_data_dir
from training.datasets.images import ImageSet, load_images
from training.measures.judge import Judge, fit, make_network
from training.measures.shape import slant
from training.progress import quiet

IMAGES = 1_000
AT_ONCE = 250
MODEL = "mnist-infogan"


@pytest.fixture(scope="module")
def handwriting() -> ImageSet:
    folder = real_data_dir()
    if folder is None:
        pytest.skip("no real data here; set FAUSSAIRE_DATA_DIR")
    return first(load_images("mnist", folder, train=False), IMAGES)


@pytest.fixture(scope="module")
def judge() -> Judge:
    """Train a classifier on labels, in seconds; it shares nothing with the model."""
    folder = real_data_dir()
    assert folder is not None
    train = load_images("mnist", folder, train=True)
    torch.manual_seed(0)
    network = make_network(1, 10)
    fit(network, train, 400, quiet)
    return Judge(network.eval().requires_grad_(False), train.classes, 0.0)


def photographed(image: Image.Image) -> bytes:
    """Return a PNG of the image: dark on bright, enlarged, off the centre of a larger sheet."""
    sheet = Image.new("L", (150, 120), "white")
    sheet.paste(ImageOps.invert(image.resize((84, 84), Image.Resampling.BICUBIC)), (50, 20))
    return png(sheet)


def png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def there_and_back(client: httpx.Client, pages: list[bytes]) -> torch.Tensor:
    """Read codes from the pages and draw from them: uint8 (N, 1, 28, 28)."""
    read = [client.post("/v1/codes", params={"model": MODEL}, content=page).raise_for_status().json() for page in pages]
    assert {answer["source"] for answer in read} == {"recogniser"}
    items = [{"class": answer["class"], "style": answer["styles"]} for answer in read]
    drawn = []
    for start in range(0, len(items), AT_ONCE):
        body = {"model": MODEL, "items": items[start : start + AT_ONCE], "seed": 7, "index": start, "format": "npy"}
        answer = client.post("/v1/images", json=body).raise_for_status()
        drawn.append(np.load(io.BytesIO(answer.content)))
    return torch.from_numpy(np.concatenate(drawn)).permute(0, 3, 1, 2)


def test_a_digit_comes_back_as_that_digit_and_leaning_as_it_did(
    handwriting: ImageSet, judge: Judge, tmp_path: Path
) -> None:
    written = [Image.fromarray(image) for image in handwriting.images[:, 0].numpy()]
    # Every second image looks as in no data set: of another size and polarity, and off the centre.
    pages = [photographed(image) if k % 2 else png(image) for k, image in enumerate(written)]
    with serving(ROOT / "models", tmp_path) as client:
        drawn = there_and_back(client, pages)
    kept = judge.labels(drawn) == handwriting.labels
    before, after = slant(handwriting.images), slant(drawn)
    assert np.isfinite(after).all()
    for some in (slice(0, None, 2), slice(1, None, 2)):
        assert kept[some].double().mean() >= 0.95
        assert np.corrcoef(before[some], after[some])[0, 1] >= 0.8
