import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import digest_of, listening
from tests.training.test_cli import run
from training.errors import InvalidRecipe
from training.export.recipe import Job, Recipe

CGAN = ROOT / "models" / "mnist-cgan.onnx"
OTHER = ROOT / "models" / "mnist-infogan.onnx"
OPTIONS = ["--items", "30", "--shards", "3", "--seed", "5", "--balance", "drawn"]

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return lambda *words: run(monkeypatch, capsys, "dataset", *map(str, words))


@pytest.fixture
def first(command: Command, tmp_path: Path) -> Path:
    """A folder with a data set, and its recipe."""
    folder = tmp_path / "first"
    assert command("--model", CGAN, "-o", folder, "--format", "parquet", *OPTIONS)[0] == 0
    return folder


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("part-*.parquet")}


def test_a_recipe_has_all_that_decides_the_files(first: Path) -> None:
    recipe = Recipe.read(first / "dataset.json")
    assert recipe.model == "mnist-cgan"
    assert recipe.sha256 == digest_of(CGAN)
    assert recipe.job == Job("parquet", 30, 3, 5, "drawn", {})
    assert recipe.checksums == [digest_of(path) for path in sorted(first.glob("part-*.parquet"))]
    assert (first / "dataset.json").stat().st_size < 2_000


def test_a_recipe_draws_the_same_files_here_or_by_a_service(command: Command, first: Path, tmp_path: Path) -> None:
    recipe = first / "dataset.json"
    assert command("--recipe", recipe, "--model", CGAN, "-o", tmp_path / "here")[0] == 0
    with listening(create_app(Settings())) as url:
        assert command("--recipe", recipe, "--from", url, "-o", tmp_path / "there")[0] == 0
    for name in ("here", "there"):
        assert shards(tmp_path / name) == shards(first)
        for told in ("dataset.json", "croissant.json", "README.md"):
            assert (tmp_path / name / told).read_bytes() == (first / told).read_bytes()


def test_any_shard_is_drawn_alone(command: Command, first: Path, tmp_path: Path) -> None:
    words = ["--recipe", first / "dataset.json", "-o", tmp_path / "alone", "--shard"]
    assert command("--model", CGAN, *words, "2")[0] == 0
    assert shards(tmp_path / "alone") == {name: file for name, file in shards(first).items() if "00002-of" in name}
    code, said = command(*words, "2", "--check")
    assert (code, "part-00002-of-00003.parquet is as the recipe has it" in said) == (0, True)
    code, said = command(*words, "3")
    assert (code, "--shard must be from 0 to 2" in said) == (2, True)


def test_the_last_shard_that_is_drawn_alone_completes_the_recipe(command: Command, tmp_path: Path) -> None:
    for shard in (2, 0, 1):
        assert not (tmp_path / "dataset.json").exists() or Recipe.read(tmp_path / "dataset.json").checksums is None
        assert command("--model", CGAN, "-o", tmp_path, *OPTIONS, "--shard", shard)[0] == 0
    assert len(Recipe.read(tmp_path / "dataset.json").checksums or []) == 3


def test_a_folder_is_compared_with_the_recipe(command: Command, first: Path) -> None:
    check = ["--recipe", first / "dataset.json", "-o", first, "--check"]
    assert command(*check)[0] == 0
    altered, missing, _ = sorted(first.glob("part-*.parquet"))
    altered.write_bytes(altered.read_bytes()[:-1] + b"2")
    missing.unlink()
    code, said = command(*check)
    assert code == 2
    assert f"{altered.name} is altered, {missing.name} is missing" in said
    assert "part-00002-of-00003.parquet is as the recipe has it" in said


def test_another_model_is_refused_before_anything_is_drawn(command: Command, first: Path, tmp_path: Path) -> None:
    code, said = command("--recipe", first / "dataset.json", "--model", OTHER, "-o", tmp_path / "other")
    assert code == 2
    assert f"is of mnist-cgan with the SHA-256 {digest_of(CGAN)}" in said
    assert digest_of(OTHER) in said
    assert not (tmp_path / "other").exists()


def test_a_service_without_the_version_is_told(command: Command, first: Path, tmp_path: Path, models_dir: Path) -> None:
    with listening(create_app(Settings(models_dir=models_dir, default_model="small"))) as url:
        code, said = command("--recipe", first / "dataset.json", "--from", url, "-o", tmp_path / "other")
    assert (code, "has no model 'mnist-cgan'" in said) == (2, True)


def test_a_shard_that_is_not_the_recipes_is_not_kept(command: Command, first: Path, tmp_path: Path) -> None:
    told = json.loads((first / "dataset.json").read_text())
    told["checksums"][1] = "0" * 64
    (tmp_path / "altered.json").write_text(json.dumps(told))
    folder = tmp_path / "other"
    words = ["--recipe", tmp_path / "altered.json", "--model", CGAN, "-o", folder]
    code, said = command(*words)
    assert code == 2
    assert f"shard 1 has the SHA-256 {digest_of(first / 'part-00001-of-00003.parquet')}, and the recipe has 000" in said
    assert len(list(folder.glob("*.sha256"))) == 1
    code, said = command("--recipe", tmp_path / "altered.json", "--model", CGAN, "-o", first)  # drawn before
    assert (code, "shard 1 has the SHA-256" in said) == (2, True)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"seed": -1}, "its field 'seed'"),
        ({"format": "csv"}, "its field 'format'"),
        ({"checksums": []}, "0 checksums of 3 shards"),
        ({"size": 3}, "its field 'size'"),
        ({"sha256": None}, "its field 'sha256'"),
    ],
)
def test_what_is_no_recipe_is_refused_by_its_field(first: Path, change: dict[str, Any], remedy: str) -> None:
    path = first / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidRecipe, match=remedy):
        Recipe.read(path)


def test_a_recipe_of_an_earlier_version_has_no_name_and_no_checksums(command: Command, first: Path) -> None:
    path = first / "dataset.json"
    told = {name: value for name, value in json.loads(path.read_text()).items() if name not in ("model", "checksums")}
    path.write_text(json.dumps(told))
    code, said = command("--recipe", path, "--check", "-o", first)
    assert (code, "has no checksums to compare with" in said) == (2, True)
    code, said = command("--recipe", path, "--from", "http://127.0.0.1:9", "-o", first)
    assert code == 2
    assert command("--model", CGAN, "-o", first, "--format", "parquet", *OPTIONS)[0] == 0
    assert Recipe.read(path).checksums is not None


@pytest.mark.parametrize("option", [["--seed", "5"], ["--items", "30"], ["--name", "mnist-cgan"], ["--style", "a=1"]])
def test_an_option_that_the_recipe_has_is_left_out(command: Command, first: Path, option: list[str]) -> None:
    code, said = command("--recipe", first / "dataset.json", "--model", CGAN, "-o", first, *option)
    assert (code, f"leave {option[0]} out" in said) == (2, True)


def test_a_check_needs_a_recipe_and_drawing_a_drawer(command: Command, first: Path, tmp_path: Path) -> None:
    assert "give --recipe FILE" in command("-o", first, "--check")[1]
    assert "give either --model FILE" in command("--recipe", first / "dataset.json", "-o", tmp_path / "none")[1]
    assert "none.json" in command("--recipe", tmp_path / "none.json", "-o", first, "--check")[1]
