"""BentoML's own endpoints: `bentoml serve bench.peers.bentoml_server:Draw`."""

from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType

from bench.peers.drawing import Drawing

Picture = Annotated[bytes, ContentType("image/png")]


@bentoml.service(workers=1)
class Draw:
    def __init__(self) -> None:
        self._drawing = Drawing()

    @bentoml.api(route="/v1/images")
    def draw(
        self, seed: int, style: list[float], n: int = 1, **rest: Any
    ) -> Annotated[bytes, ContentType("image/png")]:
        asked = {"class": rest["class"], "seed": seed, "style": style, "n": n}
        return self._drawing.answer(asked)
