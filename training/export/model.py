"""An exported generator, run by ONNX Runtime as the service runs it."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor

from latent import Codes, GeneratorCard, InvalidCard
from training.errors import InvalidModel


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
                f"{path} is not an ONNX file that can be read; export it with 'faussaire export'"
            ) from error

    def generate(self, codes: Codes, batch: int) -> NDArray[np.uint8]:
        """uint8 images (N, H, W, channels), `batch` rows at a time."""
        starts = range(0, len(codes), batch)
        parts = [self._run(codes[start : start + batch]) for start in starts]
        return np.concatenate(parts)

    def draw(self, codes: Codes, batch: int) -> Tensor:
        """The same as PyTorch has images: uint8 (N, channels, H, W)."""
        return torch.from_numpy(self.generate(codes, batch)).permute(0, 3, 1, 2).contiguous()

    def _run(self, codes: Codes) -> NDArray[np.uint8]:
        (images,) = self.session.run(["image"], codes.inputs())
        return np.asarray(images, np.uint8)
