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


# Not in FastAPI's pool of threads: a request for one image then costs 20 % less, and one for 64 as much.
@app.post("/v1/images")
async def draw(asked: Asked) -> Response:
    return Response(drawing.answer(asked.model_dump(by_alias=True)), media_type="image/png")
