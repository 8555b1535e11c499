"""What every peer does with a request: the same codes, the same inference, the same PNG as the service."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from latent import Codes, GeneratorCard, draw_noise
from latent.png import encode_png
from latent.sheet import tile

MODEL = Path(os.environ.get("BENCH_MODEL", "models/mnist-infogan.onnx"))
BATCH = 16
"""Requests that a peer draws together, if it batches: with more, an image costs hardly less."""

Asked = dict[str, Any]
Images = NDArray[np.uint8]


class Drawing:
    """The open model, by one thread."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        content = MODEL.read_bytes()
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        card = GeneratorCard.from_metadata(self._session.get_modelmeta().custom_metadata_map)
        self._space = card.space
        self._places = {code.name: place for place, code in enumerate(card.space.classes)}
        self._styles = [code.name for code in card.space.styles]
        self._head = f'{{"model":"{card.name}","digest":"{hashlib.sha256(content).hexdigest()}"'

    def codes(self, asked: Asked) -> Codes:
        count = asked["n"]
        noise = draw_noise(self._space, asked["seed"], 0, count)
        classes = self._space.pure_classes[[self._places[asked["class"]]] * count]
        return Codes(noise, classes, np.array([asked["style"]] * count, np.float32))

    def draw(self, codes: Codes) -> Images:
        (images,) = self._session.run(["image"], codes.inputs())
        return np.asarray(images, np.uint8)

    def encode(self, asked: Asked, images: Images) -> bytes:
        """One image with the text that the service writes; several as a sheet without."""
        if len(images) > 1:
            return encode_png(tile(images))
        styles = ",".join(f'"{name}":{value!r}' for name, value in zip(self._styles, asked["style"], strict=True))
        codes = f'"seed":{asked["seed"]},"index":0,"class":{{"{asked["class"]}":1.0}},"styles":{{{styles}}}'
        return encode_png(images[0], "faussaire", f"{self._head},{codes}}}")

    def answer(self, asked: Asked) -> bytes:
        return self.encode(asked, self.draw(self.codes(asked)))

    def answer_all(self, requests: list[Asked]) -> list[bytes]:
        """Those of a batch, drawn together."""
        parts = [self.codes(asked) for asked in requests]
        images = self.draw(Codes.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts])
        return [self.encode(asked, some) for asked, some in zip(requests, np.split(images, ends[:-1]), strict=True)]


def parse(body: bytes) -> Asked:
    asked: Asked = json.loads(body)
    return asked
