import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import real_data_dir
from training.datasets.images import load_images, to_unit
from training.errors import DataUnavailable, UnknownName


def test_an_unknown_data_set_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown data set 'cifar'.*mnist, fashion-mnist"):
        load_images("cifar", tmp_path, train=True)


def test_a_damaged_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"junk")
    with pytest.raises(DataUnavailable, match=r"incomplete or damaged.*--data-dir"):
        load_images("mnist", tmp_path, train=True)


def test_an_absent_folder_that_cannot_be_downloaded_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr("torchvision.datasets.MNIST.download", unreachable)
    with pytest.raises(DataUnavailable, match=r"download failed.*--data-dir"):
        load_images("mnist", tmp_path, train=True)


@pytest.mark.parametrize(("name", "mean", "spread"), [("mnist", 0.1307, 0.3081), ("fashion-mnist", 0.2860, 0.3530)])
def test_the_real_images_are_the_ones_that_everybody_has(name: str, mean: float, spread: float) -> None:
    folder = real_data_dir()
    if folder is None:
        pytest.skip("no real data here; set FAUSSAIRE_DATA_DIR")
    images = load_images(name, folder, train=True)
    assert images.images.shape == (60_000, 1, 28, 28)
    unit = images.images.double() / 255
    assert unit.mean().item() == pytest.approx(mean, abs=1e-4)
    assert unit.std().item() == pytest.approx(spread, abs=1e-4)
    assert torch.bincount(images.labels).tolist() == pytest.approx([6_000] * 10, rel=0.15)
    assert len(images.classes) == 10


def test_the_range_of_a_tanh_is_that_of_grey_levels() -> None:
    assert to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


def idx(values: np.ndarray) -> bytes:
    """MNIST's own file format: a magic number, the sizes, the bytes."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    ("name", "stem", "first_label", "classes"),
    [("emnist-letters", "EMNIST/raw/emnist-letters-", 1, 26), ("kmnist", "KMNIST/raw/", 0, 10)],
)
def test_letters_and_kana_are_read_upright_with_their_names(
    tmp_path: Path, name: str, stem: str, first_label: int, classes: int
) -> None:
    upright = np.zeros((classes, 28, 28), np.uint8)
    upright[:, 3, 20] = 255
    stored = upright.swapaxes(1, 2) if name == "emnist-letters" else upright
    for split in ("train", "test") if first_label else ("train", "t10k"):
        path = tmp_path / f"{stem}{split}-images-idx3-ubyte"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(idx(stored))
        labels = np.arange(classes) + first_label
        (tmp_path / f"{stem}{split}-labels-idx1-ubyte").write_bytes(idx(labels))
    for train in (True, False):
        images = load_images(name, tmp_path, train=train)
        assert images.images.shape == (classes, 1, 28, 28)
        assert (images.images[:, 0, 3, 20] == 255).all()
        assert images.labels.tolist() == list(range(classes))
        assert len(images.classes) == classes
    assert images.classes[:2] == (("a", "b") if classes == 26 else ("o", "ki"))
