"""A labelled data set as a Parquet file, with the features by which Hugging Face's `datasets` knows its columns."""

import json
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any

import numpy as np

from latent.card import GeneratorCard
from latent.dataset import BLOCK, Dataset
from latent.parquet import BYTE_ARRAY, FLOAT, INT64, Column, Parquet
from latent.png import store_pngs, stored_size
from latent.runs import Images

GROUP_BYTES = 8 << 20
"""The images of a row group are about so many bytes: readers have a whole row group in memory."""
MOST_GROUPS = 128
"""A gigabyte. Each request for a range of bytes lays the file out anew, which takes half a millisecond a row group."""
MOST_PAGE = 1 << 31
"""The bytes of a page, a block of images, have 31 bits."""
NAME_LENGTH = 23
"""`0000000000000000007.png`"""

_length = Struct("<I").pack


def group_rows(card: GeneratorCard) -> int:
    """The rows of a row group: whole blocks of images."""
    return max(1, GROUP_BYTES // _png_size(card) // BLOCK) * BLOCK


def parquet_of(dataset: Dataset, card: GeneratorCard, told: str) -> Parquet:
    """The file of a data set, which records what is `told` of it. Raises ValueError if it is too large."""
    if BLOCK * (4 + _png_size(card)) >= MOST_PAGE - BLOCK:
        raise ValueError("images of this size are too large for Parquet; ask for webdataset")
    rows = group_rows(card)
    if len(dataset) > MOST_GROUPS * rows:
        raise ValueError(f"a Parquet file of this model holds at most {MOST_GROUPS * rows:,} images; ask for shards")
    huggingface = json.dumps({"info": {"features": features(card)}}, separators=(",", ":"))
    metadata = {"huggingface": huggingface, "faussaire": told}
    return Parquet(range(dataset.start, dataset.stop), rows, tuple(_columns(dataset, card)), metadata)


def features(card: GeneratorCard) -> dict[str, Any]:
    """The columns in the form of `datasets.Features`."""
    number, share = {"dtype": "int64", "_type": "Value"}, {"dtype": "float32", "_type": "Value"}
    named: dict[str, Any] = {"image": {"_type": "Image"}}
    if card.space.classes:
        named["label"] = {"names": [code.name for code in card.space.classes], "_type": "ClassLabel"}
    named |= {"seed": number, "index": number}
    if card.space.styles:
        named["styles"] = {code.name: share for code in card.space.styles}
    return named


def _columns(dataset: Dataset, card: GeneratorCard) -> Iterator[Column]:
    png = _png_size(card)
    yield Column(("image", "bytes"), BYTE_ARRAY, 4 + png, _write_images, page=BLOCK, draws=True)
    yield Column(("image", "path"), BYTE_ARRAY, 4 + NAME_LENGTH, _write_names, is_text=True)
    if card.space.classes:
        yield Column(("label",), INT64, 8, lambda items, _: dataset.labels(items).astype("<i8").tobytes())
    yield Column(("seed",), INT64, 8, lambda items, _: np.full(len(items), dataset.seed, "<i8").tobytes())
    yield Column(("index",), INT64, 8, _write_indices, bounds=lambda items: (_int64(items[0]), _int64(items[-1])))
    for place, style in enumerate(card.space.styles):
        yield Column(("styles", style.name), FLOAT, 4, _style_of(dataset, place))


def _style_of(dataset: Dataset, place: int) -> Callable[[range, Images], bytes]:
    def write(items: range, _: Images) -> bytes:
        return dataset.style_codes(items)[:, place].astype("<f4").tobytes()

    return write


def _write_images(_: range, images: Images) -> bytes:
    return b"".join([part for png in store_pngs(images) for part in (_length(len(png)), png)])


def _write_names(items: range, _: Images) -> bytes:
    return b"".join([b"%b%019d.png" % (_length(NAME_LENGTH), item) for item in items])


def _write_indices(items: range, _: Images) -> bytes:
    return np.arange(items.start, items.stop, dtype="<i8").tobytes()


def _int64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _png_size(card: GeneratorCard) -> int:
    return stored_size(card.image.height, card.image.width, card.image.channels)
