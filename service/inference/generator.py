"""A generator in ONNX Runtime."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import Codes, GeneratorCard, ModelVersion
from service.errors import InvalidModel
from service.inference.session import open_session, read_card
from service.settings import Device

SHAPE = 16
"""Rows of every inference. The kernels of matrix products differ by batch size, and so do the last bits of a product.
With one shape for all, an image is the same alone and in any batch."""


class Generator:
    """Opens a generator's file. Raises InvalidModel."""

    def __init__(self, path: Path, threads: int, device: Device = "auto") -> None:
        self.path = path
        content = path.read_bytes()
        self._session = open_session(path, content, threads, device)
        card = read_card(GeneratorCard, path, self._session)
        self.version = ModelVersion(card, hashlib.sha256(content).hexdigest())
        _check_signature(path, self._session, card)

    def warm_up(self) -> None:
        """Draw one image, so that the first request does not pay for the first allocation. Raises InvalidModel."""
        space = self.version.card.space
        sizes = (space.noise_size, len(space.classes), len(space.styles))
        try:
            self.generate(Codes(*(np.zeros((1, size), np.float32) for size in sizes)))
        except Exception as error:
            raise InvalidModel(f"{self.path}: the generator cannot draw {SHAPE} images at a time") from error

    def generate(self, codes: Codes) -> NDArray[np.uint8]:
        """Draw images: uint8 (N, H, W, channels)."""
        starts = range(0, len(codes), SHAPE)
        return np.concatenate([self._run(codes[start : start + SHAPE]) for start in starts])

    def _run(self, codes: Codes) -> NDArray[np.uint8]:
        inputs = {name: _pad(rows) for name, rows in codes.inputs().items()}
        (images,) = self._session.run(["image"], inputs)
        return np.asarray(images, np.uint8)[: len(codes)]


def _pad(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    missing = SHAPE - len(rows)
    return np.pad(rows, ((0, missing), (0, 0))) if missing else rows


def _check_signature(path: Path, session: ort.InferenceSession, card: GeneratorCard) -> None:
    """Raises InvalidModel if the file's inputs or output are not those of its card."""
    space, image = card.space, card.image
    sizes = {"noise": space.noise_size, "classes": len(space.classes), "styles": len(space.styles)}
    expected = {name: size for name, size in sizes.items() if size}
    found = {node.name: node.shape[-1] for node in session.get_inputs()}
    if found != expected:
        raise InvalidModel(f"{path}: its inputs are {found}, but its card says {expected}")
    outputs = [(node.name, node.type, tuple(node.shape[1:])) for node in session.get_outputs()]
    wanted = [("image", "tensor(uint8)", (image.height, image.width, image.channels))]
    if outputs != wanted:
        raise InvalidModel(f"{path}: its outputs are {outputs}, but its card says {wanted}")
