from pathlib import Path
from typing import Any

import pytest

from training import comparison
from training.comparison import Compared
from training.evaluation import Evaluation, Measures
from training.run import Config, Run


def measures(**chosen: Any) -> Measures:
    names = "fid kid precision recall density coverage log_likelihood sigma"
    figures: dict[str, Any] = dict.fromkeys(names.split(), 0.5)
    figures |= {"histogram": {str(k): 0.1 for k in range(10)}, "class_kl": 0.0, "confidence": 0.9, "nearest": 0.1}
    figures |= {"inception_fid": None, "log_likelihood_error": 0.1, "copies": 0.01}
    return Measures.model_validate(figures | {"accuracy": None, "score": None} | chosen)


def compared(preset: str, data: str = "mnist", **chosen: Any) -> Compared:
    drawn = measures(**chosen)
    found = Evaluation(
        model="x", data=data, images=1000, seed=0, judge="a judge", drawn=drawn, real=measures(accuracy=0.99)
    )
    return Compared(Config.of(preset, data=data, seed=0, epochs=5, head_start=2), found)


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
        (compared("acgan", accuracy=0.96), ["asked class below 97%"]),
        (compared("acgan", "fashion-mnist", accuracy=0.86), []),
        (compared("infogan", accuracy=0.5), []),  # no one told it what the classes are called
    ],
)
def test_a_preset_works_by_the_stated_limits_or_says_why_not(row: Compared, expected: list[str]) -> None:
    assert row.shortcomings() == expected


def test_the_table_has_a_row_a_run_and_real_images_last(tmp_path: Path) -> None:
    rows = [compared("gan", confidence=0.1), compared("acgan", accuracy=0.99), compared("gan", "fashion-mnist")]
    comparison.save_table(tmp_path / "results.md", rows)
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


def test_what_was_evaluated_is_read_from_its_run(tmp_path: Path) -> None:
    row = compared("acgan", accuracy=0.99)
    run = Run(tmp_path)
    run.claim(row.config)
    (tmp_path / "evaluation.json").write_text(row.evaluation.model_dump_json())
    assert comparison.read(run) == row
