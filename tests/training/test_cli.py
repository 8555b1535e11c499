import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training.conftest import drawn_digits
from training.cli import main
from training.loop.run import Config, Run
from training.loop.train import batch_rows
from training.recipes.presets import PRESETS
from training.workspace import choose_device


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and standard error of `faussaire words...`."""
    monkeypatch.setattr("sys.argv", ["faussaire", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("train", "biggan", "--data", "mnist"), "unknown preset 'biggan'; choose one of: gan, dcgan, lsgan"),
        (("train", "gan", "--data", "cifar"), "unknown data set 'cifar'; choose one of: mnist"),
        (("export", "nowhere", "-o", "a.onnx"), "nowhere is not a run"),
        (("evaluate", "nowhere.onnx"), "nowhere.onnx is not an ONNX file"),
        (("verify", "a.png"), "models has no .onnx file"),
    ],
)
def test_a_mistake_is_one_line_with_its_remedy_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    remedy: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, message = run(monkeypatch, capsys, *words)
    assert code == 2
    assert message.startswith(f"error: {remedy}")
    assert message.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_only_codes_that_had_to_be_found_are_looked_into(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Run(tmp_path / "taught").claim(Config.of("cgan", data="mnist", seed=0, epochs=1))
    code, message = run(monkeypatch, capsys, "seeds", "taught")
    assert code == 2
    assert message == "error: taught has no codes to find: its preset is not 'infogan'\n"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for some kilobytes."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small file system")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_is_one_line_and_exit_code_2_and_leaves_nothing_half_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_disk: Path
) -> None:
    monkeypatch.setattr("training.workspace.load_images", lambda *_, **__: drawn_digits(64))
    folder = str(tiny_disk / "run")
    code, message = run(monkeypatch, capsys, "train", "gan", "--data", "mnist", "--batch", "16", "--run", folder)
    assert code == 2
    errors = [line for line in message.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert errors[0].startswith("error: the disk is full")
    assert list((tiny_disk / "run" / "checkpoints").iterdir()) == []


def test_an_unknown_device_is_refused_with_those_there_are() -> None:
    with pytest.raises(Exception, match="unknown device 'abacus'; choose one of: auto, cpu"):
        choose_device("abacus")
    assert choose_device("cpu") == torch.device("cpu")


def test_help_names_every_command_and_preset(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["faussaire", "--help"])
    with pytest.raises(SystemExit):
        main()
    whole = capsys.readouterr().out
    assert all(command in whole for command in ("train", "export", "evaluate"))
    monkeypatch.setattr("sys.argv", ["faussaire", "train", "--help"])
    with pytest.raises(SystemExit):
        main()
    of_train = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert all(name in of_train for name in PRESETS)


def test_ctrl_c_exits_with_130_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("training.workspace.load_images", lambda *_, **__: drawn_digits(64))
    monkeypatch.setattr("training.loop.train.LOG_EVERY", 1)
    honest = batch_rows

    def pressing(*arguments: object) -> torch.Tensor:
        os.kill(os.getpid(), signal.SIGINT)
        return honest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("training.loop.train.batch_rows", pressing)
    code, message = run(monkeypatch, capsys, "train", "gan", "--data", "mnist", "--batch", "16")
    assert code == 130
    assert "the same command goes on from there" in message
    assert list(tmp_path.rglob("step-00000001.pt"))
