"""Commands that tune, fine-tune, compare and publish, on a few thousand digits."""

import json
import re
import shutil
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import faussaire, ran

LSGAN = "runs/lsgan-mnist-0"


@pytest.fixture(scope="module")
def place(data_dir: Path, workplace: Path) -> tuple[Path, list[str]]:
    """Train a run; return its folder and the options that name the data."""
    words = ["--data", "mnist", "--data-dir", str(data_dir)]
    faussaire(workplace, "train", "lsgan", *words, "--epochs", "2")
    return workplace, words


def test_fine_tuning_says_what_it_saved_and_its_run_can_be_exported(place: tuple[Path, list[str]]) -> None:
    folder, words = place
    command = ["finetune", LSGAN, *words, "--freeze", "generator:-2", "--epochs", "1", "--seed", "1"]
    said = faussaire(folder, *command)
    assert re.search(r"saved \d+% of the images and -?\d+% of the time; \d+% of G's weights learned", said)
    run = folder / "runs" / "finetuned" / "lsgan-mnist-0-mnist-1"
    assert json.loads((run / "finetune.json").read_text())["final"]["epoch"] == 1
    assert (run / "finetune.png").read_bytes().startswith(b"\x89PNG")
    before = (run / "course.json").read_bytes()
    assert faussaire(folder, *command) == said  # it trains and measures nothing again
    assert (run / "course.json").read_bytes() == before
    faussaire(folder, "export", str(run), "-o", "tuned.onnx", *words[2:])
    assert (folder / "tuned.onnx").exists()


def test_a_sweep_ends_with_the_command_that_trains_the_best(place: tuple[Path, list[str]]) -> None:
    folder, words = place
    command = ["sweep", "lsgan", *words, "--folds", "2", "--epochs", "1", "--images", "400"]
    faussaire(folder, *command, "--trials", "1")
    said = faussaire(folder, *command, "--trials", "2")
    assert re.search(r"^faussaire train lsgan --data mnist --lr-d \S+ --lr-g \S+ --batch \d+$", said, re.MULTILINE)
    assert (folder / "runs" / "sweeps" / "lsgan-mnist-fid.png").exists()


def test_runs_are_compared_in_one_table_with_their_samples(place: tuple[Path, list[str]]) -> None:
    folder, words = place
    said = faussaire(folder, "compare", LSGAN, "-o", "results.md", *words[2:])
    assert "lsgan" in said
    text = (folder / "results.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| lsgan \| 0 \| 8,000 \|", text, re.MULTILINE)) == 1
    assert (folder / "pictures" / "presets-mnist.png").exists()
    evaluated = (folder / LSGAN / "evaluation.json").stat().st_mtime_ns
    faussaire(folder, "compare", LSGAN, "-o", "results.md", *words[2:])
    assert (folder / LSGAN / "evaluation.json").stat().st_mtime_ns == evaluated


def said(text: str) -> dict[str, str]:
    """Return the first version of each role in a command's output."""
    return dict(re.findall(r"^(\w+): digits@([0-9a-f]{12})", text, re.MULTILINE))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_generator_is_published_unless_it_is_worse_and_rolled_back(place: tuple[Path, list[str]]) -> None:
    folder, words = place
    early, models = folder / "runs" / "early", folder / "served"
    shutil.copytree(folder / LSGAN, early)
    (*_, last) = sorted((early / "checkpoints").iterdir())
    last.unlink()
    models.mkdir()
    command = ["publish", "--models", "served", "--name", "digits", "--images", "500", *words[2:]]
    first = said(faussaire(folder, *command, "runs/early"))
    assert first.keys() == {"stable"}
    before = contents(models)
    assert "draws the same already; nothing was changed" in faussaire(folder, *command, "runs/early")
    assert contents(models) == before

    tried = said(faussaire(folder, *command, LSGAN, "--canary", "0.25"))
    assert tried == {"stable": first["stable"], "canary": tried["canary"]}
    refused = ran(folder, *command, LSGAN)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"error: digits@{tried['canary']} is still the canary; run 'faussaire promote'")
    second = said(faussaire(folder, "promote", "digits", "--models", "served"))
    assert second == {"stable": tried["canary"], "before": first["stable"]}

    before = contents(models)
    worse = ran(folder, *command, "runs/early")
    assert worse.returncode == 3, worse.stderr
    assert re.search(r"FID .* worse", worse.stdout)
    assert f"worse than served/digits@{second['stable']}.onnx; nothing was changed" in worse.stdout
    assert contents(models) == before
    assert said(faussaire(folder, "rollback", "digits", "--models", "served")) == first


def test_a_file_is_published_as_a_run_is(place: tuple[Path, list[str]]) -> None:
    folder, words = place
    (folder / "fetched").mkdir()
    faussaire(folder, "export", LSGAN, "-o", "fetched/digits.onnx", *words[2:])
    (folder / "catalogue").mkdir()
    command = ["publish", "fetched/digits.onnx", "--models", "catalogue", "--images", "500", *words[2:]]
    (name,) = said(faussaire(folder, *command)).values()
    published = (folder / "catalogue" / f"digits@{name}.onnx").read_bytes()
    assert published == (folder / "fetched" / "digits.onnx").read_bytes()
    assert "draws the same already; nothing was changed" in faussaire(folder, *command)
    renamed = ran(folder, *command, "--name", "other")
    assert renamed.returncode == 2
    assert "fetched/digits.onnx has the name 'digits' inside; leave --name out" in renamed.stderr


def test_a_service_draws_the_same_data_set_as_its_model_does_here(
    server: httpx.Client, models_dir: Path, tmp_path: Path
) -> None:
    options = ("--items", "700", "--shards", "2", "--seed", "5", "--style", "slant=0.5", "-o")
    faussaire(tmp_path, "dataset", "--from", str(server.base_url), *options, "there")
    faussaire(tmp_path, "dataset", "--model", str(models_dir / "small.onnx"), *options, "here")
    for name in ("part-00000-of-00002.tar", "part-00001-of-00002.tar"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    with pytest.raises(AssertionError, match=r"refused: style: The model has 2 style codes, in this order: slant"):
        faussaire(tmp_path, "dataset", "--from", str(server.base_url), "--style", "smile=1", "-o", "none")
