"""Opens the ONNX files of the models folder, generators and recognisers alike."""

from pathlib import Path
from typing import Any, TypeVar

import onnxruntime as ort

from latent import GeneratorCard, InvalidCard, RecogniserCard
from service.errors import InvalidModel
from service.settings import Device
from service.telemetry.log import log

QUIET = 4
"""ONNX Runtime's log level for fatal errors only: our own errors name the file."""

OUTSIDE = b"\x0a\x08location"
"""What an ONNX file has before the name of another file with some of its data: a key of protobuf."""

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"

CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC"}
"""No timing race between kernels at the start. All kernels give the same sums, those of TF32 too."""

Card = TypeVar("Card", GeneratorCard, RecogniserCard)


def open_session(path: Path, content: bytes, threads: int, device: Device) -> ort.InferenceSession:
    """Raises InvalidModel if ONNX Runtime cannot read the content, or if `device` is cuda and there is no CUDA."""
    if OUTSIDE in content:
        raise InvalidModel(
            f"{path}: it has data in another file, which its digest does not cover; export it as one file"
        )
    providers = _providers(device)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    options.use_deterministic_compute = True
    try:
        session = ort.InferenceSession(content, options, providers=providers)
    except Exception as error:
        raise InvalidModel(f"{path} is not an ONNX file that ONNX Runtime can read") from error
    if len(providers) > 1:
        _check_device(path, session, device)
    return session


def _providers(device: Device) -> list[Any]:
    if device == "cpu" or CUDA not in ort.get_available_providers():
        if device == "cuda":
            raise InvalidModel(
                "FAUSSAIRE_DEVICE is cuda, but this ONNX Runtime has no CUDA; install the extra serve-gpu"
            )
        return [CPU]
    ort.set_default_logger_severity(QUIET)
    ort.preload_dlls()  # CUDA's libraries are Python packages, where the loader does not look
    return [(CUDA, CUDA_OPTIONS), CPU]


def _check_device(path: Path, session: ort.InferenceSession, device: Device) -> None:
    """ONNX Runtime falls back to the CPU if there is no driver or no card."""
    if session.get_providers()[0] == CUDA:
        log.info("CUDA runs %s", path)
    elif device == "cuda":
        raise InvalidModel(f"{path}: FAUSSAIRE_DEVICE is cuda, but CUDA finds no card; set it to auto or cpu")
    else:
        log.warning("the CPU runs %s: CUDA finds no card", path)


def read_card(kind: type[Card], path: Path, session: ort.InferenceSession) -> Card:
    """The card in the file's metadata. Raises InvalidModel."""
    try:
        return kind.from_metadata(session.get_modelmeta().custom_metadata_map)
    except InvalidCard as error:
        raise InvalidModel(f"{path}: {error}") from None
