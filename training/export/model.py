"""Exported files, run by ONNX Runtime as the service runs them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import Codes, GeneratorCard, InvalidCard
from latent.card import recogniser_path
from training.errors import InvalidModel

if TYPE_CHECKING:
    from torch import Tensor

READ_AT_ONCE = 250


class Model:
    """Opens a generator's file. Raises InvalidModel."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            metadata = self.session.get_modelmeta().custom_metadata_map
            self.card = GeneratorCard.from_metadata(metadata)
        except InvalidCard as error:
            raise InvalidModel(f"{path}: {error}") from error
        except Exception as error:  # the runtime's errors share no documented base
            raise InvalidModel(
                f"{path} is not an ONNX file that ONNX Runtime can read; export it with 'faussaire export'"
            ) from error

    def generate(self, codes: Codes, batch: int) -> NDArray[np.uint8]:
        """Draw images, `batch` at a time: uint8 (N, H, W, channels)."""
        starts = range(0, len(codes), batch)
        return np.concatenate([self._run(codes[start : start + batch]) for start in starts])

    def draw(self, codes: Codes, batch: int) -> "Tensor":
        """Draw images in PyTorch's order of axes: uint8 (N, channels, H, W)."""
        import torch  # here: a folder's pictures are verified without PyTorch

        return torch.from_numpy(self.generate(codes, batch)).permute(0, 3, 1, 2).contiguous()

    def _run(self, codes: Codes) -> NDArray[np.uint8]:
        (images,) = self.session.run(["image"], codes.inputs())
        return np.asarray(images, np.uint8)


class RecogniserModel:
    """Opens the file of the recogniser beside a generator's."""

    def __init__(self, generator: Path) -> None:
        self._session = ort.InferenceSession(recogniser_path(generator), providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def read(self, images: "Tensor") -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """uint8 (N, channels, H, W) -> class weights (N, C), styles (N, S); S is 0 if there are none"""
        from torch import split  # here, as above

        rows = [part.permute(0, 2, 3, 1).contiguous().numpy() for part in split(images, READ_AT_ONCE)]
        answers = [self._session.run(self._names, {"image": part}) for part in rows]
        classes, *styles = (
            np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*answers, strict=True)
        )
        return classes, styles[0] if styles else classes[:, :0]
