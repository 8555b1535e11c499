import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet
from torchvision.datasets import KMNIST, MNIST, FashionMNIST, ImageFolder

from latent import ClassCode, GeneratorCard
from latent.containers import SUFFIX, ZIP_ITEMS, Kind, container, folder_of, is_complete, parse_shard_name, shard_name
from latent.dataset import BLOCK, TEST_START, Dataset
from latent.runs import Images, cut, drawn, parts
from tests.conftest import small_card

CARD = small_card()
KINDS: tuple[Kind, ...] = ("idx", "webdataset", "parquet", "zip")
SIZED = KINDS[:3]


def pixels(items: range) -> Images:
    """An image of each item that tells which it is."""
    drawn: Images = np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1), np.uint8)
    return drawn[np.arange(items.start, items.stop) % 997]


def streamed(kind: Kind, dataset: Dataset, card: GeneratorCard = CARD) -> Iterator[bytes]:
    for part in parts(container(kind, dataset, card).runs()):
        yield part.write(pixels(part.items))


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


@pytest.mark.parametrize("kind", KINDS)
def test_no_items_make_a_container_that_can_be_read(kind: Kind) -> None:
    content = io.BytesIO(b"".join(streamed(kind, data(5, 5))))
    assert is_complete(kind, content)
    content.seek(0)
    if kind == "zip":
        assert zipfile.ZipFile(content).namelist() == ["manifest.json"]
    elif kind == "parquet":
        assert len(parquet.read_table(content)) == 0
    else:
        with tarfile.open(fileobj=content) as tar:
            assert len(tar.getnames()) == (5 if kind == "idx" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ready_is_given_away_at_once(kind: Kind) -> None:
    for part in parts(container(kind, data(), CARD).runs()):
        assert len(part.items) <= BLOCK
        images = pixels(part.items)
        assert len(part.write(images)) >= images.nbytes // 4


@pytest.mark.parametrize("kind", SIZED)
@given(ends=st.tuples(st.integers(0, 600), st.integers(0, 600)), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(max_examples=30)
def test_any_bytes_of_a_file_are_written_alone(kind: Kind, ends: tuple[int, int], shares: tuple[float, float]) -> None:
    dataset = data(min(ends), max(ends))
    opened, whole = container(kind, dataset, CARD), b"".join(streamed(kind, dataset))
    assert opened.size == len(whole)
    start, stop = sorted(round(share * len(whole)) for share in shares)
    asked = list(cut(opened.runs(), start, stop))
    assert b"".join(part.write(pixels(part.items)) for part in asked) == whole[start:stop]
    assert sum(len(part.items) for part in asked) == drawn(opened.runs(), start, stop)


@pytest.mark.parametrize("kind", SIZED)
def test_a_few_bytes_of_a_large_file_draw_a_block_or_nothing(kind: Kind) -> None:
    opened = container(kind, data(0, 1_000_000), CARD)
    assert opened.size is not None
    for start in (opened.size // 2, opened.size - 8):
        (part, *_) = cut(opened.runs(), start, start + 8)
        assert len(part.items) <= BLOCK
        assert drawn(opened.runs(), start, start + 8) == len(part.items)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_breaks_off_is_not_complete(kind: Kind) -> None:
    whole = b"".join(streamed(kind, data()))
    assert is_complete(kind, io.BytesIO(whole))
    for length in (0, 1, 600, len(whole) // 2, len(whole) - 1):
        assert not is_complete(kind, io.BytesIO(whole[:length]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_shard_is_named_by_its_number(kind: Kind) -> None:
    assert parse_shard_name(shard_name(kind, 3, 200_000)) == (SUFFIX[kind], 3, 200_000)
    assert parse_shard_name("part-1-of-2.tar") is None


def test_what_a_container_cannot_hold_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="at most 100,000 images; ask for shards"):
        container("zip", data(0, ZIP_ITEMS + 1), CARD)
    many = tuple(ClassCode(name=str(code)) for code in range(257))
    with pytest.raises(ValueError, match="at most 256 classes; ask for parquet"):
        container(
            "idx",
            data(),
            CARD.model_copy(update={"space": CARD.space.model_copy(update={"classes": many})}),
        )
    coloured = CARD.model_copy(update={"image": CARD.image.model_copy(update={"channels": 3})})
    with pytest.raises(ValueError, match="grey images; ask for parquet, webdataset or zip"):
        container("idx", data(), coloured)


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("idx", "640226ebd45eed7c"),
        ("webdataset", "715479a487e4a3d3"),
        ("parquet", "91696830830cc5a2"),
    ],
)
def test_no_library_decides_the_bytes(kind: Kind, digest: str) -> None:
    """Where they change on purpose, raise LAYOUT in service/api/dataset_file.py: recipes of before no longer fit."""
    assert hashlib.sha256(b"".join(streamed(kind, data()))).hexdigest()[:16] == digest
