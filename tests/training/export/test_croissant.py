import json
from pathlib import Path

from tests.conftest import small_card
from training.export.croissant import MOST_SHARDS, describe, write_descriptions
from training.export.recipe import Job, Recipe

CARD = small_card()
SUM = "0" * 64


def recipe(shards: int = 2, kind: str = "parquet") -> Recipe:
    made = Recipe.of(Job("parquet", 30, shards, 5, "even", {}), "small", SUM)
    return made.model_copy(update={"format": kind, "checksums": [SUM] * shards})


def test_each_file_has_its_checksum_and_each_table_its_columns() -> None:
    told = describe(recipe(), CARD)
    assert [file["contentUrl"] for file in told["distribution"]] == [
        "part-00000-of-00002.parquet",
        "part-00001-of-00002.parquet",
    ]
    assert {file["sha256"] for file in told["distribution"]} == {SUM}
    columns = [[field["source"]["extract"]["column"] for field in one["field"]] for one in told["recordSet"]]
    assert columns == [["image", "label", "seed", "index"]] * 2


def test_archives_are_listed_without_records() -> None:
    told = describe(recipe(kind="idx"), CARD)
    assert told["distribution"][0]["encodingFormat"] == "application/x-tar"
    assert "recordSet" not in told


def test_a_model_without_classes_has_no_label() -> None:
    (records,) = describe(recipe(1), small_card(coded=False))["recordSet"]
    assert "label" not in [field["source"]["extract"]["column"] for field in records["field"]]


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    write_descriptions(tmp_path, recipe(), CARD)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert json.loads((tmp_path / "croissant.json").read_text())["name"] == "small-seed-5"
    (tmp_path / "croissant.json").write_text("mine too")
    write_descriptions(tmp_path, recipe(), CARD)
    assert (tmp_path / "croissant.json").read_text() == "mine too"


def test_very_many_shards_are_described_in_words_alone(tmp_path: Path) -> None:
    write_descriptions(tmp_path, recipe(MOST_SHARDS + 1), CARD)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert "data_files: part-*.parquet" in (tmp_path / "README.md").read_text()
