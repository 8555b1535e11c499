"""What draws. No card is here: where CUDA would be used, ONNX Runtime's answer is made up."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime as ort
import pytest

from service.errors import InvalidModel
from service.inference.generator import Generator
from service.inference.session import CPU, CUDA, open_session
from service.settings import Device


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """An ONNX Runtime built with CUDA, with the providers that are asked for and those that it gives."""
    seen: list[Any] = []

    def opened(_: bytes, __: ort.SessionOptions, providers: list[Any]) -> Any:
        seen.extend(providers)
        names = [provider if isinstance(provider, str) else provider[0] for provider in providers]
        return SimpleNamespace(get_providers=lambda: names)

    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort, "InferenceSession", opened)
    return seen


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_cuda_draws_where_it_can_be_used(asked: list[Any], device: Device, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bentoml.faussaire"):
        open_session(Path("a.onnx"), b"", 1, device)
    assert [asked[0][0], asked[1]] == [CUDA, CPU]
    assert caplog.messages == ["CUDA runs a.onnx"]


def test_the_cpu_draws_where_it_was_asked_for(asked: list[Any]) -> None:
    open_session(Path("a.onnx"), b"", 1, "cpu")
    assert asked == [CPU]


@pytest.fixture
def cardless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real session of a runtime that says it has CUDA, and goes on without."""
    honest = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort, "InferenceSession", lambda content, options, **_: honest(content, options, [CPU]))


@pytest.mark.usefixtures("cardless")
def test_without_a_card_the_cpu_draws_and_the_log_says_so(models_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = models_dir / "small.onnx"
    Generator(path, threads=1).warm_up()
    assert caplog.messages == [f"the CPU runs {path}: CUDA finds no card"]


@pytest.mark.usefixtures("cardless")
def test_a_card_that_was_asked_for_and_is_not_there_is_an_error(models_dir: Path) -> None:
    with pytest.raises(InvalidModel, match="FAUSSAIRE_DEVICE is cuda, but CUDA finds no card"):
        Generator(models_dir / "small.onnx", threads=1, device="cuda")


def test_a_runtime_without_cuda_is_an_error_where_cuda_was_asked_for(models_dir: Path) -> None:
    with pytest.raises(InvalidModel, match="install the extra serve-gpu"):
        Generator(models_dir / "small.onnx", threads=1, device="cuda")
