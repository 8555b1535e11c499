import json
from pathlib import Path

from latent.croissant import MOST_SHARDS
from tests.conftest import small_card
from training.export.descriptions import write_descriptions
from training.export.recipe import Job, Recipe

CARD = small_card()
SUM = "0" * 64


def recipe(shards: int = 2, kind: str = "parquet") -> Recipe:
    made = Recipe.of(Job("parquet", 30, shards, 5, "even", {}), "small", SUM)
    return made.model_copy(update={"format": kind, "checksums": [SUM] * shards})


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    write_descriptions(tmp_path, recipe(), CARD)
    assert (tmp_path / "README.md").read_text() == "mine"
    told = json.loads((tmp_path / "croissant.json").read_text())
    assert told["name"] == "small-seed-5"
    assert told["isLiveDataset"] is False
    assert {file["sha256"] for file in told["distribution"]} == {SUM}
    (tmp_path / "croissant.json").write_text("mine too")
    write_descriptions(tmp_path, recipe(), CARD)
    assert (tmp_path / "croissant.json").read_text() == "mine too"


def test_very_many_shards_are_described_in_words_alone(tmp_path: Path) -> None:
    write_descriptions(tmp_path, recipe(MOST_SHARDS + 1), CARD)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert "data_files: part-*.parquet" in (tmp_path / "README.md").read_text()
