"""Opens the ONNX files of the models folder, generators and recognisers alike."""

from pathlib import Path
from typing import TypeVar

import onnxruntime as ort

from latent import GeneratorCard, InvalidCard, RecogniserCard
from service.errors import InvalidModel

QUIET = 4
"""ONNX Runtime's log level for fatal errors only: ours name the file."""

Card = TypeVar("Card", GeneratorCard, RecogniserCard)


def open_session(path: Path, content: bytes, threads: int) -> ort.InferenceSession:
    """Raises InvalidModel."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InvalidModel(f"{path} is not an ONNX file that can be read") from error


def read_card(kind: type[Card], path: Path, session: ort.InferenceSession) -> Card:
    """Raises InvalidModel."""
    try:
        return kind.from_metadata(session.get_modelmeta().custom_metadata_map)
    except InvalidCard as error:
        raise InvalidModel(f"{path}: {error}") from None
