"""FastAPI and uvicorn, and the inference in the handler: `uvicorn bench.peers.fastapi_server:app`."""

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from bench.peers.drawing import Drawing

app = FastAPI()
drawing = Drawing()


class Asked(BaseModel):
    class_: str = Field(alias="class")
    seed: int
    style: list[float]
    n: int = 1


@app.post("/v1/images")
def draw(asked: Asked) -> Response:
    return Response(drawing.answer(asked.model_dump(by_alias=True)), media_type="image/png")
