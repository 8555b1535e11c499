"""Small data for the training tests: real MNIST where it can be had, else digits drawn here."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from training.datasets.images import ImageSet, load_images
from training.datasets.sources import SOURCES
from training.loop.run import Config

ROOT = Path(__file__).parents[2]


def real_data_dir() -> Path | None:
    """The folder with real MNIST: FAUSSAIRE_DATA_DIR, or `shared/data` beside the checkout."""
    named = os.environ.get("FAUSSAIRE_DATA_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if (folder / "MNIST" / "raw").is_dir() else None


def drawn_digits(count: int) -> ImageSet:
    """Digits in Pillow's own font, shifted a little: as labelled as MNIST, if not as pretty."""
    font = ImageFont.load_default(24)
    shifts = np.random.default_rng(0).integers(-3, 4, (count, 2))
    images = np.zeros((count, 1, 28, 28), np.uint8)
    for k in range(count):
        picture = Image.new("L", (28, 28))
        at = (8 + int(shifts[k, 0]), int(shifts[k, 1]))
        ImageDraw.Draw(picture).text(at, str(k % 10), fill=255, font=font)
        images[k, 0] = np.asarray(picture)
    source = SOURCES["mnist"]
    return ImageSet(torch.from_numpy(images), torch.arange(count) % 10, source.classes, source.card)


def first(images: ImageSet, count: int) -> ImageSet:
    return ImageSet(images.images[:count], images.labels[:count], images.classes, images.card)


@pytest.fixture(scope="session")
def digits() -> ImageSet:
    """512 digits, real ones where they can be had."""
    folder = real_data_dir()
    if folder is None:
        return drawn_digits(512)
    return first(load_images("mnist", folder, train=True), 512)


@pytest.fixture(scope="session")
def config() -> Config:
    """An InfoGAN of sixteen steps an epoch, the first epoch its recogniser's head start."""
    return Config.of("infogan", head_start=1, data="mnist", seed=5, batch=32, epochs=2)
