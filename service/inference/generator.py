"""One generator in ONNX Runtime."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import Codes, GeneratorCard
from service.errors import InvalidModel
from service.inference.session import Device, open_session, read_card

SHAPE = 16
"""Rows of every inference. The kernels of matrix products differ by batch size, and with them the last bits of
a product: one shape for all is what makes an image the same alone and in any batch."""


class Runtime:
    """Opens a generator's file. Raises InvalidModel."""

    def __init__(self, path: Path, threads: int, device: Device = "auto") -> None:
        self.path = path
        content = path.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        self._session = open_session(path, content, threads, device)
        self.card = read_card(GeneratorCard, path, self._session)
        _check_signature(path, self._session, self.card)

    def warm_up(self) -> None:
        """One inference, so that the first request does not pay for the first allocation. Raises InvalidModel."""
        space = self.card.space
        sizes = (space.noise_size, len(space.classes), len(space.styles))
        try:
            self.generate(Codes(*(np.zeros((1, size), np.float32) for size in sizes)))
        except Exception as error:
            raise InvalidModel(f"{self.path}: it cannot draw {SHAPE} images at a time") from error

    def generate(self, codes: Codes) -> NDArray[np.uint8]:
        """uint8 images of shape (N, H, W, channels)."""
        starts = range(0, len(codes), SHAPE)
        return np.concatenate([self._run(codes[start : start + SHAPE]) for start in starts])

    def _run(self, codes: Codes) -> NDArray[np.uint8]:
        inputs = {name: _padded(rows) for name, rows in codes.inputs().items()}
        (images,) = self._session.run(["image"], inputs)
        return np.asarray(images, np.uint8)[: len(codes)]


def _padded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    missing = SHAPE - len(rows)
    return np.pad(rows, ((0, missing), (0, 0))) if missing else rows


def _check_signature(path: Path, session: ort.InferenceSession, card: GeneratorCard) -> None:
    """The inputs and the output must be those that the card speaks of."""
    space, image = card.space, card.image
    sizes = {"noise": space.noise_size, "classes": len(space.classes), "styles": len(space.styles)}
    expected = {name: size for name, size in sizes.items() if size}
    found = {node.name: node.shape[-1] for node in session.get_inputs()}
    if found != expected:
        raise InvalidModel(f"{path}: its inputs are {found}, and its card says {expected}")
    outputs = [(o.name, o.type, tuple(o.shape[1:])) for o in session.get_outputs()]
    wanted = [("image", "tensor(uint8)", (image.height, image.width, image.channels))]
    if outputs != wanted:
        raise InvalidModel(f"{path}: its outputs are {outputs}, and its card says {wanted}")
