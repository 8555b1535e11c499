"""Folders as people have them, from the pictures to the models folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.training.conftest import drawn_digits
from training.commands.terminal import Terminal
from training.errors import DataUnavailable, RunMismatch, Unfit
from training.export.model import Model
from training.loop.run import Config, Run
from training.publishing.gate import Protocol
from training.workspace import CPU, Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return Workspace(Path("data"), CPU, Terminal())


def fill_flat(folder: Path) -> None:
    folder.mkdir()
    for k in range(24):
        picture = Image.new("RGBA", (28, 28))
        ImageDraw.Draw(picture).line((3 + k % 7, 3, 24, 24 - k % 5), fill="black", width=3)
        picture.save(folder / f"{k}.png")


def fill_colours(folder: Path) -> None:
    """Red zeros, green ones and blue twos."""
    digits = drawn_digits(150)
    for pixels, label in zip(digits.images[:, 0].numpy(), digits.labels.tolist(), strict=True):
        if label < 3:
            colour = np.zeros((28, 28, 3), np.uint8)
            colour[:, :, label] = pixels
            place = folder / ("red", "green", "blue")[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(colour).save(place / f"{len(list(place.iterdir()))}.png")


def test_a_run_does_not_lie_among_its_images(workspace: Workspace, tmp_path: Path) -> None:
    fill_flat(tmp_path / "flat")
    for data, run in (("flat", tmp_path / "flat"), ("flat", Path("flat/runs/a")), (".", None)):
        with pytest.raises(Unfit, match=r"lies in the folder of the images, .*another with --run"):
            workspace.train(Config.of("gan", data=data, seed=0, epochs=1, batch=7), run, "ignore")
    assert len(list((tmp_path / "flat").rglob("*"))) == 24


def test_a_run_whose_data_have_moved_says_how_to_go_on(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    fill_flat(tmp_path / "lines" / "thin")
    config = Config.of("gan", data="lines", seed=0, epochs=1, batch=7)
    run, _ = workspace.train(config, None, "ignore")
    (tmp_path / "lines").rename(tmp_path / "moved")
    later = Workspace(Path("data"), CPU, Terminal())
    with pytest.raises(DataUnavailable, match=rf"trained on lines, and nothing is there.*--run {run.folder}"):
        later.load_of(run, train=True)
    later.train(config.model_copy(update={"data": "moved"}), run.folder, "ignore")
    assert len(later.load_of(run, train=True)) > 7


def test_pictures_without_classes_get_codes_and_no_figure_that_means_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    fill_flat(tmp_path / "flat")
    config = Config.of("infogan", data="flat", seed=0, epochs=2, head_start=1, batch=7, class_codes=4)
    run, _ = workspace.train(config, None, "rollback")
    card = workspace.export(run, Path("flat.onnx"))
    assert [code.name for code in card.space.classes] == ["code-0", "code-1", "code-2", "code-3"]
    assert {code.purity for code in card.space.classes} == {None}
    assert {(style.low, style.high) for style in card.space.styles} == {(-1.0, 1.0)}
    assert card.figures == ()
    measured, page = workspace.evaluate(Path("flat.onnx"), 100, data="flat")
    assert {name for name, value in measured.drawn.figures.items() if value is not None} == {
        "log_likelihood",
        "log_likelihood_error",
        "sigma",
        "nearest",
        "copies",
    }
    assert measured.drawn.histogram == {}
    assert "no classifier can judge: there is one class" in page.read_text(encoding="utf-8")
    protocol = Protocol.of(workspace.load_or_train_judge("flat"), workspace.load_of(run, train=False), 100)
    assert protocol.measure(Path("flat.onnx")) == {}
    Image.new("L", (28, 28), 9).save("flat/24.png")
    with pytest.raises(RunMismatch, match=r"flat has changed since .*: picture '24\.png' was added"):
        Workspace(Path("data"), CPU, Terminal()).export(run, Path("flat.onnx"))


def test_colours_at_a_chosen_size_with_more_codes_than_classes(workspace: Workspace, tmp_path: Path) -> None:
    fill_colours(tmp_path / "colours")
    config = Config.of("infogan", data="colours", seed=0, epochs=4, head_start=2, batch=10, size=16, class_codes=5)
    run, _ = workspace.train(config, Path("run"), "rollback")
    card = workspace.export(run, Path("colours.onnx"))
    names = [code.name for code in card.space.classes]
    assert len(names) == 5
    assert {"red", "green", "blue"} < set(names)
    assert [code.purity is None for code in card.space.classes] == [name.startswith("code-") for name in names]
    assert {figure.name for figure in card.figures} >= {"FID", "class purity"}
    assert "without 2 of 5 codes" in next(figure.protocol for figure in card.figures if figure.name == "class purity")
    assert Model(Path("colours.onnx")).card.image.model_dump() == {"height": 16, "width": 16, "channels": 3}
    measured, _ = workspace.evaluate(Path("colours.onnx"), 100, data="./colours/")
    assert measured.drawn.has("accuracy")
    assert Run(Path("run")).read_config().size == 16
