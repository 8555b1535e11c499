"""mosec: `python mosec_server.py --port PORT`."""

from mosec import Server, Worker

from bench.peers.drawing import BATCH, Asked, Drawing, parse


class Draw(Worker):
    resp_mime_type = "image/png"

    def __init__(self) -> None:
        self._drawing = Drawing()

    def deserialize(self, data: bytes) -> Asked:
        return parse(data)

    def serialize(self, data: bytes) -> bytes:
        return data

    def forward(self, data: list[Asked]) -> list[bytes]:
        return self._drawing.answer_all(data)


if __name__ == "__main__":
    server = Server()
    server.append_worker(Draw, num=1, max_batch_size=BATCH, max_wait_time=1)
    server.run()
