"""Files of rows that pyarrow, the reference for readers, reads as they were meant."""

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from latent import GeneratorCard
from latent.dataset import BLOCK, Dataset
from latent.features import MOST_GROUPS, group_rows, parquet_of
from latent.runs import Images, parts
from tests.conftest import small_card

CARD = small_card()
LAST = 2**53 - 1


def pixels(items: range, card: GeneratorCard = CARD) -> Images:
    shape = (len(items), card.image.height, card.image.width, card.image.channels)
    drawn: Images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return drawn


def written(dataset: Dataset, card: GeneratorCard = CARD) -> parquet.ParquetFile:
    whole = parquet_of(dataset, card, '{"told": 1}')
    content = b"".join(part.write(pixels(part.items, card)) for part in parts(whole.runs()))
    return parquet.ParquetFile(io.BytesIO(content))


def data(start: int, stop: int, card: GeneratorCard = CARD, **more: Any) -> Dataset:
    return Dataset(card.space, 3, start, stop, **more)


def test_the_rows_are_the_items_with_their_codes() -> None:
    dataset = data(5, 305, styles={0: 0.5})
    rows = written(dataset).read().to_pylist()
    styles = dataset.style_codes(range(5, 305))
    assert [row["index"] for row in rows] == list(range(5, 305))
    assert [row["label"] for row in rows] == [item % 10 for item in range(5, 305)]
    assert {row["seed"] for row in rows} == {3}
    assert [tuple(row["styles"].values()) for row in rows] == [tuple(map(float, one)) for one in styles]
    assert {row["styles"]["slant"] for row in rows} == {0.5}
    assert rows[2]["image"]["path"] == "0000000000000000007.png"
    for place in (0, 255):
        image = np.asarray(Image.open(io.BytesIO(rows[place]["image"]["bytes"])))
        assert np.array_equal(image, pixels(range(5, 261))[place, :, :, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_row_groups_are_whole_blocks_of_eight_megabytes(channels: int) -> None:
    card = CARD.model_copy(update={"image": CARD.image.model_copy(update={"channels": channels})})
    rows = group_rows(card)
    assert rows % BLOCK == 0
    file = written(data(0, 2 * rows + 1, card), card)
    groups = [file.metadata.row_group(number) for number in range(3)]
    assert [group.num_rows for group in groups] == [rows, rows, 1]
    assert 7 << 20 < groups[0].column(0).total_compressed_size <= 9 << 20
    bounds = groups[1].column(4).statistics
    assert (bounds.min, bounds.max) == (rows, 2 * rows - 1)
    file.read(["label", "index"])


def test_an_image_larger_than_a_row_group_has_a_block_in_one() -> None:
    card = CARD.model_copy(update={"image": CARD.image.model_copy(update={"height": 300, "width": 400})})
    assert group_rows(card) == BLOCK
    assert written(data(0, 2, card), card).read().num_rows == 2


def test_the_features_are_those_of_hugging_face_and_the_types_theirs() -> None:
    schema = written(data(0, 3)).schema_arrow
    told = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert told["image"] == {"_type": "Image"}
    assert told["label"] == {"names": list("0123456789"), "_type": "ClassLabel"}
    assert list(told) == schema.names
    # `datasets` takes a feature only if its type is the column's to the last detail, that it may be null too.
    assert schema.field("image") == pa.field("image", pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    assert schema.field("label") == pa.field("label", pa.int64())
    assert schema.field("styles") == pa.field("styles", pa.struct({"slant": pa.float32(), "width": pa.float32()}))
    assert schema.metadata[b"faussaire"] == b'{"told": 1}'


def test_a_model_without_codes_has_images_seed_and_index() -> None:
    card = small_card(coded=False)
    assert written(data(0, 3, card), card).schema_arrow.names == ["image", "seed", "index"]


def test_the_last_items_and_seeds_fit() -> None:
    dataset = Dataset(CARD.space, 2**63 - 1, LAST, LAST + 1)
    (row,) = written(dataset).read().to_pylist()
    assert (row["seed"], row["index"]) == (2**63 - 1, LAST)


def test_a_file_has_an_end_that_fits_into_memory() -> None:
    most = MOST_GROUPS * group_rows(CARD)
    assert parquet_of(data(0, most), CARD, "{}").size > most * 800
    with pytest.raises(ValueError, match="at most 1,212,416 images; ask for shards"):
        parquet_of(data(0, most + 1), CARD, "{}")


def test_images_that_fit_no_page_are_refused() -> None:
    card = CARD.model_copy(update={"image": CARD.image.model_copy(update={"height": 4096, "width": 4096})})
    with pytest.raises(ValueError, match="too large for Parquet; ask for webdataset"):
        parquet_of(data(0, 1), card, "{}")
