"""BentoML's own endpoints: `bentoml serve bench.peers.bentoml_server:Draw`."""

from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType
from pydantic import BaseModel, Field

from bench.peers.drawing import Drawing

Picture = Annotated[bytes, ContentType("image/png")]


class Asked(BaseModel):
    class_: str = Field(alias="class")
    seed: int
    style: list[float]
    n: int = 1


@bentoml.service(workers=1)
class Draw:
    def __init__(self) -> None:
        self._drawing = Drawing()

    @bentoml.api(route="/v1/images", input_spec=Asked)
    def draw(self, **asked: Any) -> Picture:
        return self._drawing.answer(asked | {"class": asked.pop("class_")})
