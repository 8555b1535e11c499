import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latent import Training
from service.settings import ROOT
from training.errors import InvalidRun
from training.evaluation.evaluation import Evaluation, Measures
from training.loop.run import Config, Run
from training.studies import comparison
from training.studies.comparison import Compared


def measures(**chosen: Any) -> Measures:
    names = "fid kid precision recall density coverage log_likelihood sigma"
    figures: dict[str, Any] = dict.fromkeys(names.split(), 0.5)
    figures |= {"histogram": {str(k): 0.1 for k in range(10)}, "class_kl": 0.0, "confidence": 0.9, "nearest": 0.1}
    figures |= {"inception_fid": None, "log_likelihood_error": 0.1, "copies": 0.01}
    return Measures.model_validate(figures | {"accuracy": None, "score": None} | chosen)


def training(**chosen: Any) -> Training:
    words = dict.fromkeys(("preset", "network", "objective", "codes"), "x")
    figures = {"seed": 0, "epochs": 5, "images": 300_000, "seconds": 60, "device": "cpu", "parameters": 1}
    return Training.model_validate(words | figures | chosen)


def compared(preset: str, data: str = "mnist", epochs: float = 5, **chosen: Any) -> Compared:
    drawn = measures(**chosen)
    found = Evaluation(
        model="x",
        data=data,
        images=1000,
        asked=1000,
        seed=0,
        judge="a judge",
        drawn=drawn,
        real=measures(accuracy=0.99),
    )
    config = Config.of(preset, data=data, seed=0, epochs=5, head_start=2)
    return Compared(config, training(epochs=epochs), found, np.zeros((16, 28, 28, 1), np.uint8))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (compared("gan"), []),
        (compared("gan", class_kl=0.1), ["classes uneven"]),
        (
            compared("gan", class_kl=0.2, histogram={"0": 0.005, "1": 0.095} | {str(k): 0.1125 for k in range(2, 10)}),
            ["classes uneven, lacks 0"],
        ),
        (compared("gan", confidence=0.8), ["not recognised"]),
        (compared("gan", epochs=2.5), ["collapsed for good after 2.5 epochs"]),
        (compared("acgan", accuracy=0.96), ["asked class below 97%"]),
        (compared("acgan", "fashion-mnist", accuracy=0.86), []),
        (compared("infogan", accuracy=0.5), []),  # no one told it what the classes are called
    ],
)
def test_a_preset_works_by_the_stated_limits_or_says_why_not(row: Compared, expected: list[str]) -> None:
    assert row.shortcomings() == expected


def test_the_table_has_a_row_a_run_and_real_images_last(tmp_path: Path) -> None:
    rows = [compared("gan", confidence=0.1), compared("acgan", accuracy=0.99), compared("gan", "fashion-mnist")]
    comparison.save_page(tmp_path / "results.md", rows)
    lines = (tmp_path / "results.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("## ")] == ["## mnist", "## fashion-mnist"]
    table = [line for line in lines if line.startswith("| ")]
    assert len({line.count("|") for line in table}) == 1
    assert [line.split(" | ")[0] for line in table] == [
        "| preset",
        "| ---",
        "| gan",
        "| acgan",
        "| real images",
        "| preset",
        "| ---",
        "| gan",
        "| real images",
    ]
    assert "not recognised" in table[2]


def test_the_table_comes_with_a_picture_of_each_data_set_a_row_a_run(tmp_path: Path) -> None:
    comparison.save_page(tmp_path / "results.md", [compared("gan"), compared("wgan"), compared("gan", "fashion-mnist")])
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    for name, rows in (("mnist", 2), ("fashion-mnist", 1)):
        assert f"(pictures/presets-{name}.png)" in text
        with Image.open(tmp_path / "pictures" / f"presets-{name}.png") as picture:
            assert picture.size == (90 + 16 * 56, 56 * rows)


def test_what_was_evaluated_is_read_from_its_run(tmp_path: Path) -> None:
    row = compared("acgan", accuracy=0.99)
    run = Run(tmp_path)
    run.claim(row.config)
    with pytest.raises(InvalidRun, match="has no evaluation; run 'faussaire evaluate"):
        comparison.read_run(run)
    (tmp_path / "evaluation.json").write_text(row.evaluation.model_dump_json())
    shutil.copy(ROOT / "models" / "mnist-cgan.onnx", tmp_path / "model.onnx")
    found = comparison.read_run(run)
    assert (found.config, found.evaluation) == (row.config, row.evaluation)
    assert found.training.preset == "cgan"
    assert found.sample.shape == (16, 28, 28, 1)
