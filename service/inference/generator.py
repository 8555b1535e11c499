"""A generator in ONNX Runtime."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import Codes, GeneratorCard, ModelVersion
from latent.proof import proof_codes, proof_of
from service.errors import InvalidModel
from service.inference.session import open_session, read_card
from service.settings import Device


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
        """Draw the images of the card's proof, all at once and one by one, before the first request.

        Raises InvalidModel if they are others here: this runtime does not compute exactly, or the file is changed.
        """
        codes = proof_codes(self.version.card.space)
        try:
            drawn = [self.generate(codes), *(self.generate(codes[row : row + 1]) for row in range(len(codes)))]
        except Exception as error:
            raise InvalidModel(f"{self.path}: the generator cannot draw {len(codes)} images") from error
        if {proof_of(drawn[0]), proof_of(np.concatenate(drawn[1:]))} != {self.version.card.proof}:
            raise InvalidModel(
                f"{self.path}: the generator draws other pixels here than its card records: the file is damaged, or "
                "ONNX Runtime is not exact on this machine; export it again, and try FAUSSAIRE_DEVICE=cpu"
            )

    def generate(self, codes: Codes) -> NDArray[np.uint8]:
        """Draw images: uint8 (N, H, W, channels). An image is the same alone and in any batch."""
        (images,) = self._session.run(["image"], codes.inputs())
        if len(images) != len(codes):
            raise ValueError(f"{self.path}: the generator draws {len(images)} images where {len(codes)} were asked for")
        return np.asarray(images, np.uint8)


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
