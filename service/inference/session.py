"""Opens the ONNX files of the models folder, generators and recognisers alike."""

import logging
from pathlib import Path
from typing import Any, Literal, TypeVar

import onnxruntime as ort

from latent import GeneratorCard, InvalidCard, RecogniserCard
from service.errors import InvalidModel

QUIET = 4
"""ONNX Runtime's log level for fatal errors only: ours name the file."""

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"

CUDA_OPTIONS = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
"""As exact as the CPU's float32, and no race between kernels whose winner may be another after the next start."""

Device = Literal["auto", "cpu", "cuda"]

Card = TypeVar("Card", GeneratorCard, RecogniserCard)

log = logging.getLogger("bentoml.faussaire")  # BentoML's handlers show what is below its own name


def open_session(path: Path, content: bytes, threads: int, device: Device) -> ort.InferenceSession:
    """Raises InvalidModel, for want of CUDA too where `device` is cuda."""
    providers = _providers(device)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    options.use_deterministic_compute = True
    try:
        session = ort.InferenceSession(content, options, providers=providers)
    except Exception as error:
        raise InvalidModel(f"{path} is not an ONNX file that can be read") from error
    if len(providers) > 1:
        _check_device(path, session, device)
    return session


def _providers(device: Device) -> list[Any]:
    if device == "cpu" or CUDA not in ort.get_available_providers():
        if device == "cuda":
            raise InvalidModel("FAUSSAIRE_DEVICE is cuda, and this ONNX Runtime has none: install the extra serve-gpu")
        return [CPU]
    ort.set_default_logger_severity(QUIET)
    ort.preload_dlls()  # CUDA's libraries are Python packages, where the loader does not look
    return [(CUDA, CUDA_OPTIONS), CPU]


def _check_device(path: Path, session: ort.InferenceSession, device: Device) -> None:
    """ONNX Runtime goes on without CUDA where no driver or no card is there."""
    if session.get_providers()[0] == CUDA:
        log.info("%s is drawn by CUDA", path)
    elif device == "cuda":
        raise InvalidModel(f"{path}: FAUSSAIRE_DEVICE is cuda, and no card that CUDA can use is here; set auto or cpu")
    else:
        log.warning("%s is drawn by the CPU: no card that CUDA can use is here", path)


def read_card(kind: type[Card], path: Path, session: ort.InferenceSession) -> Card:
    """Raises InvalidModel."""
    try:
        return kind.from_metadata(session.get_modelmeta().custom_metadata_map)
    except InvalidCard as error:
        raise InvalidModel(f"{path}: {error}") from None
