from latent import Figure
from latent.croissant import Described, describe
from tests.conftest import small_card

CARD = small_card()
SUM = "0" * 64


def test_each_file_has_its_checksum_and_each_table_its_columns() -> None:
    told = describe(Described("parquet", 30, 2, 5, [SUM] * 2), CARD)
    assert [file["contentUrl"] for file in told["distribution"]] == [
        "part-00000-of-00002.parquet",
        "part-00001-of-00002.parquet",
    ]
    assert {file["sha256"] for file in told["distribution"]} == {SUM}
    columns = [[field["source"]["extract"]["column"] for field in one["field"]] for one in told["recordSet"]]
    assert columns == [["image", "label", "seed", "index"]] * 2


def test_archives_are_listed_without_records() -> None:
    told = describe(Described("idx", 30, 2, 5, [SUM] * 2), CARD)
    assert told["distribution"][0]["encodingFormat"] == "application/x-tar"
    assert "recordSet" not in told


def test_a_model_without_classes_has_no_label() -> None:
    (records,) = describe(Described("parquet", 30, 1, 5, [SUM]), small_card(coded=False))["recordSet"]
    assert "label" not in [field["source"]["extract"]["column"] for field in records["field"]]


def test_files_that_are_drawn_when_they_are_asked_for_have_addresses_and_no_checksum() -> None:
    told = describe(Described("parquet", 30, 1, 5, None, "http://a/v1/datasets/", "?n=30"), CARD)
    (file,) = told["distribution"]
    assert file["contentUrl"] == "http://a/v1/datasets/part-00000-of-00001.parquet?n=30"
    assert "sha256" not in file
    assert told["isLiveDataset"] is True


def test_it_says_that_images_are_synthetic_and_how_well_their_generator_measured() -> None:
    card = CARD.model_copy(update={"figures": (Figure(name="FID", value=4.25, protocol="10,000 images"),)})
    told = describe(Described("parquet", 30, 1, 5), card)["description"]
    assert told.startswith("30 synthetic images, drawn by the generator small from the seed 5.")
    assert told.endswith(" FID: 4.25 (10,000 images).")
