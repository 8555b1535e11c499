from pathlib import Path

import pytest
import torch

from tests.training.conftest import real_data_dir
from training import data
from training.errors import DataUnavailable, UnknownName


def test_an_unknown_data_set_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown data set 'cifar'.*mnist, fashion-mnist"):
        data.load("cifar", tmp_path, train=True)


def test_a_damaged_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"junk")
    with pytest.raises(DataUnavailable, match=r"incomplete or damaged.*--data-dir"):
        data.load("mnist", tmp_path, train=True)


def test_an_absent_folder_that_cannot_be_downloaded_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(data.SOURCES["mnist"].reader, "download", unreachable)
    with pytest.raises(DataUnavailable, match=r"download failed.*--data-dir"):
        data.load("mnist", tmp_path, train=True)


@pytest.mark.parametrize(("name", "mean", "spread"), [("mnist", 0.1307, 0.3081), ("fashion-mnist", 0.2860, 0.3530)])
def test_the_real_images_are_the_ones_that_everybody_has(name: str, mean: float, spread: float) -> None:
    folder = real_data_dir()
    if folder is None:
        pytest.skip("no real data here; set FAUSSAIRE_DATA_DIR")
    images = data.load(name, folder, train=True)
    assert images.images.shape == (60_000, 1, 28, 28)
    unit = images.images.double() / 255
    assert unit.mean().item() == pytest.approx(mean, abs=1e-4)
    assert unit.std().item() == pytest.approx(spread, abs=1e-4)
    assert torch.bincount(images.labels).tolist() == pytest.approx([6_000] * 10, rel=0.15)
    assert len(images.classes) == 10


def test_the_range_of_a_tanh_is_that_of_grey_levels() -> None:
    assert data.to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]
