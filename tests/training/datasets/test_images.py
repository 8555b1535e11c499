import gzip
import io
import re
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from latent import GeneratorCard
from latent.containers import container
from latent.dataset import Dataset
from latent.runs import parts
from tests.conftest import small_card
from tests.training.conftest import real_data_dir
from training.datasets.images import load_images, plain_name, to_unit
from training.errors import DataUnavailable, Unfit, UnknownName


def test_an_unknown_data_set_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown data set 'cifar'.*mnist, fashion-mnist"):
        load_images("cifar", tmp_path, train=True)


def test_an_absent_folder_that_cannot_be_downloaded_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr("torchvision.datasets.MNIST.download", unreachable)
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)  # as a download leaves it that failed before
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


MNIST_FILES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
LABELS = np.arange(30) % 10
PIXELS = np.arange(30 * 28 * 28).reshape(30, 28, 28) % 251


def write_files(folder: Path, joint: str = "-idx", packed: str = "") -> Path:
    """The four files, those to test on with ten images."""
    folder.mkdir(parents=True)
    for name in MNIST_FILES:
        count = 30 if name.startswith("train") else 10
        content = idx((PIXELS if "images" in name else LABELS)[:count])
        path = folder / f"{name.replace('-idx', joint)}-ubyte{packed}"
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("joint", ["-idx", ".idx"])
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("place", ["MNIST/raw", "MNIST", "raw", "."])
def test_mnists_files_are_read_wherever_they_lie_packed_or_not(
    tmp_path: Path, place: str, packed: str, joint: str
) -> None:
    write_files(tmp_path / "data" / place, joint, packed)
    train, test = (load_images("mnist", tmp_path / "data", train=part) for part in (True, False))
    assert np.array_equal(train.images[:, 0], PIXELS)
    assert (train.labels.tolist(), len(test)) == (LABELS.tolist(), 10)


@pytest.mark.parametrize("missing", MNIST_FILES)
def test_a_missing_file_is_named_and_nothing_is_downloaded(tmp_path: Path, missing: str) -> None:
    (write_files(tmp_path / "MNIST" / "raw") / f"{missing}-ubyte").unlink()
    with pytest.raises(DataUnavailable, match=rf"MNIST/raw has no {missing}-ubyte, packed as .gz or not; put it there"):
        load_images("mnist", tmp_path, train=missing.startswith("train"))


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("kept", [0, 3, 100])
def test_a_file_that_ends_early_is_named(tmp_path: Path, packed: str, kept: int) -> None:
    path = write_files(tmp_path / "MNIST" / "raw", packed=packed) / f"train-images-idx3-ubyte{packed}"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataUnavailable, match=rf"{re.escape(str(path))} is damaged: .*; replace it"):
        load_images("mnist", tmp_path, train=True)


class Untested(Dataset):
    """As an earlier service had it."""

    @property
    def tests(self) -> range:
        return range(0)


def draw_idx(folder: Path, card: GeneratorCard, count: int, *, tested: bool) -> None:
    """Files as a service draws them, or as an earlier one drew them, with none to test on."""
    dataset = (Dataset if tested else Untested)(card.space, 1, 0, count)
    runs = container("idx", dataset, card).runs()
    written = [part.write(np.ones((len(part.items), 28, 28, 1), np.uint8)) for part in parts(runs)]
    with tarfile.open(fileobj=io.BytesIO(b"".join(written))) as archive:
        archive.extractall(folder, filter="data")


@pytest.mark.parametrize("tested", [True, False])
def test_drawn_files_are_read_by_the_names_in_their_manifest(tmp_path: Path, tested: bool) -> None:
    card = small_card()
    turned = card.space.model_copy(update={"classes": card.space.classes[::-1]})
    draw_idx(tmp_path, card.model_copy(update={"space": turned}), 120, tested=tested)
    train, test = (load_images("mnist", tmp_path, train=part) for part in (True, False))
    assert train.classes == tuple("9876543210")
    assert (len(train), len(test)) == ((120, 20) if tested else (108, 12))


def test_a_size_is_chosen_for_other_pictures_alone(tmp_path: Path) -> None:
    write_files(tmp_path / "MNIST" / "raw")
    assert len(load_images("mnist", tmp_path, train=True, size=(28, 28))) == 30
    with pytest.raises(Unfit, match="leave --size out"):
        load_images("mnist", tmp_path, train=True, size=(32, 32))


def test_a_path_has_one_name_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("few", "mnist"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("few")
    written = ("few", "./few/", "few/.", str(tmp_path / "few"), "link", "few/../few")
    assert {plain_name(name) for name in written} == {"few"}
    assert plain_name("mnist") == "mnist"
    assert plain_name("./mnist") == "./mnist"  # a folder, and not the data set of this name
    assert plain_name("cifar") == "cifar"
    assert plain_name("/") == "/"
