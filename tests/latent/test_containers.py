import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import KMNIST, MNIST, FashionMNIST, ImageFolder

from latent import ClassCode, GeneratorCard
from latent.containers import SUFFIX, ZIP_ITEMS, Images, Kind, container, folder_of
from latent.dataset import TEST_START, Dataset
from latent.png import encode_pngs
from tests.conftest import small_card

CARD = small_card()
KINDS: tuple[Kind, ...] = ("idx", "webdataset", "zip")


def pixels(items: range) -> Images:
    """An image of each item that tells which it is."""
    drawn: Images = np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1), np.uint8)
    return drawn[np.arange(items.start, items.stop) % 997]


def streamed(kind: Kind, dataset: Dataset, card: GeneratorCard = CARD) -> Iterator[bytes]:
    made = container(kind, dataset, card, encode_pngs)
    for items in made.blocks():
        yield made.add(items, pixels(items))
    yield from made.end()


def data(start: int = 0, stop: int = 300) -> Dataset:
    return Dataset(CARD.space, 3, start, stop)


def test_torchvision_reads_mnists_files(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(streamed("idx", data())))) as tar:
        tar.extractall(tmp_path, filter="data")
    read = MNIST(str(tmp_path), train=True)
    assert np.array_equal(read.data.numpy(), pixels(range(300))[:, :, :, 0])
    assert read.targets.tolist() == [item % 10 for item in range(300)]
    told = json.loads((tmp_path / "MNIST" / "manifest.json").read_text())
    assert (told["seed"], told["start"], told["stop"]) == (3, 0, 300)


@pytest.mark.parametrize(("name", "reader"), [("small", MNIST), ("fashion-mnist", FashionMNIST), ("kmnist", KMNIST)])
def test_the_files_to_test_on_hold_images_of_their_own(tmp_path: Path, name: str, reader: type[MNIST]) -> None:
    card = CARD.model_copy(update={"data": CARD.data.model_copy(update={"name": name})})
    with tarfile.open(fileobj=io.BytesIO(b"".join(streamed("idx", data(), card)))) as tar:
        tar.extractall(tmp_path, filter="data")
    read = reader(str(tmp_path), train=False)
    items = range(TEST_START, TEST_START + 50)
    assert np.array_equal(read.data.numpy(), pixels(items)[:, :, :, 0])
    assert read.targets.tolist() == [item % 10 for item in items]
    assert len(reader(str(tmp_path), train=True)) == 300


@given(cuts=st.lists(st.integers(0, 200), min_size=1, max_size=5))
def test_shards_share_the_items_to_test_on(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts)]
    parts = [data(start, stop).tests for start, stop in pairwise(ends)]
    assert [item for part in parts for item in part] == list(data(0, ends[-1]).tests)
    assert len(data(0, ends[-1]).tests) == -(-ends[-1] // 6)


def test_a_class_whose_name_would_be_a_path_has_a_folder_of_its_own() -> None:
    assert [folder_of(name) for name in ("ankle-boot", "\u72ac", "T-shirt/top", "..", "a\\b")] == [
        "ankle-boot",
        "\u72ac",
        "T-shirt%2Ftop",
        "%2E%2E",
        "a%5Cb",
    ]


def test_a_webdataset_has_a_pair_an_item_named_by_its_place() -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(streamed("webdataset", data(295, 300))))) as tar:
        names = tar.getnames()
        assert names[:2] == [f"{295:019d}.png", f"{295:019d}.cls"]
        assert len(names) == 10
        for place, item in enumerate(range(295, 300)):
            image, label = (tar.extractfile(name) for name in names[2 * place : 2 * place + 2])
            assert image is not None
            assert label is not None
            assert np.array_equal(np.asarray(Image.open(image)), pixels(range(item, item + 1))[0, :, :, 0])
            assert int(label.read()) == item % 10


def test_image_folder_reads_the_zip(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(b"".join(streamed("zip", data(0, 40))))).extractall(tmp_path)
    (tmp_path / "manifest.json").unlink()
    read = ImageFolder(str(tmp_path))
    assert read.classes == list("0123456789")
    assert len(read) == 40
    image, label = read[4]  # the first of class 1: items go by class here
    assert label == 1
    assert np.array_equal(np.asarray(image)[:, :, 0], pixels(range(1, 2))[0, :, :, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_items_make_the_same_bytes(kind: Kind) -> None:
    assert b"".join(streamed(kind, data())) == b"".join(streamed(kind, data()))
    assert SUFFIX[kind] in ("tar", "zip")


@pytest.mark.parametrize("kind", KINDS)
def test_no_items_make_a_container_that_can_be_read(kind: Kind) -> None:
    content = io.BytesIO(b"".join(streamed(kind, data(5, 5))))
    if kind == "zip":
        assert zipfile.ZipFile(content).namelist() == ["manifest.json"]
    else:
        with tarfile.open(fileobj=content) as tar:
            assert len(tar.getnames()) == (5 if kind == "idx" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ready_is_given_away_at_once(kind: Kind) -> None:
    dataset = data()
    made = container(kind, dataset, CARD, encode_pngs)
    for items in made.blocks():
        images = pixels(items)
        assert len(made.add(items, images)) >= images.nbytes // 4


def test_what_a_container_cannot_hold_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="at most 100,000 images; ask for shards"):
        container("zip", data(0, ZIP_ITEMS + 1), CARD, encode_pngs)
    many = tuple(ClassCode(name=str(code)) for code in range(257))
    with pytest.raises(ValueError, match="at most 256 classes; ask for webdataset"):
        container(
            "idx",
            data(),
            CARD.model_copy(update={"space": CARD.space.model_copy(update={"classes": many})}),
            encode_pngs,
        )
    coloured = CARD.model_copy(update={"image": CARD.image.model_copy(update={"channels": 3})})
    with pytest.raises(ValueError, match="grey images; ask for webdataset or zip"):
        container("idx", data(), coloured, encode_pngs)
