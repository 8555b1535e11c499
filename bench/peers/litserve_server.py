"""LitServe: `python -m bench.peers.litserve_server PORT`."""

import sys
from typing import Any

from fastapi import Response
from litserve import LitAPI, LitServer

from bench.peers.drawing import BATCH, Asked, Drawing


class Draw(LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002
        self._drawing = Drawing()

    def decode_request(self, request: Asked, **_: Any) -> Asked:
        return request

    def batch(self, inputs: list[Asked]) -> list[Asked]:
        return inputs

    def predict(self, inputs: list[Asked], **_: Any) -> list[bytes]:
        return self._drawing.answer_all(inputs)

    def unbatch(self, output: list[bytes]) -> list[bytes]:
        return output

    def encode_response(self, output: bytes, **_: Any) -> Response:
        return Response(output, media_type="image/png")


if __name__ == "__main__":
    api = Draw(max_batch_size=BATCH, batch_timeout=0.001, api_path="/v1/images")
    LitServer(api, accelerator="cpu", workers_per_device=1).run(port=int(sys.argv[-1]), generate_client_file=False)
