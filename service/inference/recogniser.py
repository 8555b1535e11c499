"""A recogniser in ONNX Runtime: from an image back to the codes of the generator beside it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import RecogniserCard
from service.errors import InvalidModel
from service.inference.generator import Generator
from service.inference.session import open_session, read_card

REMEDY = "export both files again with 'faussaire export', or remove this one"


@dataclass(frozen=True)
class Recognition:
    classes: NDArray[np.float32]
    """(C,): the weight of each class"""
    styles: NDArray[np.float32]
    """(S,)"""


class Recogniser:
    """Opens the file of a generator's recogniser. Raises InvalidModel."""

    def __init__(self, path: Path, generator: Generator, threads: int) -> None:
        self._path = path
        content = path.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        self._session = open_session(path, content, threads, "cpu")
        self.card = read_card(RecogniserCard, path, self._session)
        _check_generator(path, self.card, generator)
        _check_signature(path, self._session, self.card)

    def warm_up(self) -> None:
        """Read one image, so that the first request does not pay for the first allocation. Raises InvalidModel."""
        image = self.card.image
        try:
            self.recognise(np.zeros((image.height, image.width, image.channels), np.uint8))
        except Exception as error:
            raise InvalidModel(f"{self._path}: the recogniser cannot read one image; {REMEDY}") from error

    def recognise(self, image: NDArray[np.uint8]) -> Recognition:
        """Read the codes of one image (H, W, channels). The batch is always one image, so the shape never changes."""
        names = [output.name for output in self._session.get_outputs()]
        rows = dict(zip(names, self._session.run(names, {"image": image[None]}), strict=True))
        none = np.zeros((1, 0), np.float32)
        return Recognition(rows.get("classes", none)[0], rows.get("styles", none)[0])


def _check_generator(path: Path, card: RecogniserCard, generator: Generator) -> None:
    """Raises InvalidModel if the recogniser belongs to another file."""
    version = generator.version
    if card.generator != version.digest:
        raise InvalidModel(
            f"{path}: it belongs to the generator of digest {card.generator[:12]}, but {generator.path.name} has the "
            f"digest {version.digest[:12]}; {REMEDY}"
        )
    space = version.card.space
    pairs = {
        "image": (card.image.model_dump(), version.card.image.model_dump()),
        "classes": (card.classes, len(space.classes)),
        "styles": (card.styles, len(space.styles)),
    }
    for field, (own, other) in pairs.items():
        if own != other:
            raise InvalidModel(f"{path}: card field '{field}' is {own}, but in {version.name} it is {other}; {REMEDY}")


def _check_signature(path: Path, session: ort.InferenceSession, card: RecogniserCard) -> None:
    """Raises InvalidModel if the file's input or outputs are not those of its card."""
    image = card.image
    sizes = {"classes": card.classes, "styles": card.styles}
    expected = {
        "inputs": {"image": ("tensor(uint8)", (image.height, image.width, image.channels))},
        "outputs": {name: ("tensor(float)", (size,)) for name, size in sizes.items() if size},
    }
    found = {
        "inputs": {node.name: (node.type, tuple(node.shape[1:])) for node in session.get_inputs()},
        "outputs": {node.name: (node.type, tuple(node.shape[1:])) for node in session.get_outputs()},
    }
    for side, nodes in expected.items():
        if found[side] != nodes:
            raise InvalidModel(f"{path}: its {side} are {found[side]}, but its card says {nodes}; {REMEDY}")
