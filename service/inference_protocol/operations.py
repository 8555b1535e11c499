"""The protocol's addresses. OpenAPI does not list them: the protocol has a document of its own."""

from collections.abc import Iterator

from service.http.operation import Operation
from service.inference_protocol import metadata
from service.inference_protocol.inference import BINARY, infer

MODEL = "/v2/models/{name}"


def operations() -> Iterator[Operation]:
    yield Operation("/v2", metadata.describe_server, listed=False)
    yield Operation("/v2/health/live", metadata.tell_live, listed=False)
    yield Operation("/v2/health/ready", metadata.tell_ready, listed=False)
    for path in (MODEL, f"{MODEL}/versions/{{version}}"):
        yield Operation(path, metadata.describe_model, listed=False)
        yield Operation(f"{path}/ready", metadata.tell_model_ready, listed=False)
        # Tensors may be long, as files are.
        media_types = (BINARY.decode("ascii"),)
        yield Operation(f"{path}/infer", infer, "POST", media_types=media_types, draws=True, listed=False)
