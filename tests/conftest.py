"""A small generator and its recogniser built by hand, so that the service's tests need neither torch nor training.

Besides: a server of an application, a collector of traces, and the programs that tests run.
"""

import hashlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import settings as properties
from onnx import TensorProto, helper, numpy_helper
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from latent import (
    ClassCode,
    Data,
    Framing,
    GeneratorCard,
    ImageShape,
    LatentSpace,
    RecogniserCard,
    Release,
    StyleCode,
    Training,
)
from latent.card import recogniser_path
from latent.proof import proof_codes, proof_of
from latent.release import release_path
from latent.release import version_label as named
from service.app import connecting
from service.http.asgi import App
from service.settings import Settings

# The same examples in every run, however long each takes.
properties.register_profile("fixed", derandomize=True, deadline=None)
properties.load_profile("fixed")

REQUIRED = "TEST_REQUIRES"
NOISE = 62
CLASSES = tuple("0123456789")


def program(name: str) -> str:
    """Where a program is. A test that needs an absent one is skipped, or fails where TEST_REQUIRES names it."""
    found = shutil.which(name)
    if found is None:
        required = name in os.environ.get(REQUIRED, "").split(",")
        (pytest.fail if required else pytest.skip)(f"{name} is not installed")
    return found


def small_card(name: str = "small", *, coded: bool = True) -> GeneratorCard:
    return GeneratorCard(
        name=name,
        version="1",
        data=Data(name="mnist", licence="none", source="made by a test"),
        image=ImageShape(height=28, width=28, channels=1),
        space=LatentSpace(
            noise_size=NOISE,
            classes=tuple(ClassCode(name=label) for label in CLASSES) if coded else (),
            styles=(StyleCode(name="slant"), StyleCode(name="width", low=-0.5, high=2)) if coded else (),
        ),
        training=Training(
            preset="none",
            network="none",
            objective="none",
            codes="none",
            seed=0,
            epochs=0,
            images=0,
            seconds=0,
            device="cpu",
            parameters=0,
        ),
        arithmetic="exact",
        largest_sum=0.1,
        proof="0" * 64,
    )


def small_graph(card: GeneratorCard) -> onnx.ModelProto:
    """A product of matrices and a transposed convolution of random whole weights, as real generators have them."""
    rng = np.random.default_rng(0)
    sizes = {"noise": NOISE, "classes": len(card.space.classes), "styles": len(card.space.styles)}
    sizes = {name: size for name, size in sizes.items() if size}
    width = sum(sizes.values())
    constants = {
        "grain": np.array(1024.0),
        "dense": rng.normal(0, 30, (width, 16 * 49)).round(),
        "hidden gain": np.array(2.0**-10),
        "kernel": rng.normal(0, 30, (16, 1, 4, 4)).round(),
        "gain": np.array(2.0**-8),
        "middle": np.array(127.0),
        "low": np.array(0.0),
        "high": np.array(255.0),
    }
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    initializers.append(numpy_helper.from_array(np.array([-1, 16, 7, 7]), "grid"))
    initializers.append(numpy_helper.from_array(np.array([-1, 28, 28, 1]), "shape"))
    nodes = [
        helper.make_node("Concat", list(sizes), ["codes"], axis=1),
        helper.make_node("Mul", ["codes", "grain"], ["fine"]),
        helper.make_node("Round", ["fine"], ["whole"]),
        helper.make_node("MatMul", ["whole", "dense"], ["sums"]),
        helper.make_node("Mul", ["sums", "hidden gain"], ["scaled"]),
        helper.make_node("Round", ["scaled"], ["levels"]),
        helper.make_node("Clip", ["levels", "low", "high"], ["active"]),
        helper.make_node("Reshape", ["active", "grid"], ["maps"]),
        helper.make_node("ConvTranspose", ["maps", "kernel"], ["more sums"], strides=[4, 4]),
        helper.make_node("Mul", ["more sums", "gain"], ["grey"]),
        helper.make_node("Round", ["grey"], ["rounded"]),
        helper.make_node("Add", ["rounded", "middle"], ["lighter"]),
        helper.make_node("Clip", ["lighter", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["bytes"], to=TensorProto.UINT8),
        helper.make_node("Reshape", ["bytes", "shape"], ["image"]),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", s]) for n, s in sizes.items()]
    output = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 28, 28, 1])
    graph = helper.make_graph(nodes, "small", inputs, [output], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return with_card(model, card)


def with_card(model: onnx.ModelProto, card: GeneratorCard) -> onnx.ModelProto:
    """The same model with a card that records the proof of its images."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (images,) = session.run(["image"], proof_codes(card.space).inputs())
    helper.set_model_props(model, card.model_copy(update={"proof": proof_of(images)}).to_metadata())
    return model


def write_small(folder: Path, name: str = "small", *, coded: bool = True) -> Path:
    return write_generator(folder, small_card(name, coded=coded))


def write_generator(folder: Path, card: GeneratorCard) -> Path:
    path = folder / f"{card.name}.onnx"
    onnx.save(small_graph(card), path)
    return path


def write_version(folder: Path, version: int, name: str = "small") -> Path:
    """A generator that differs from the other versions in its weights and its card, renamed into its place."""
    card = small_card(name).model_copy(update={"version": str(version)})
    model = small_graph(card)
    dense = next(one for one in model.graph.initializer if one.name == "dense")
    weights = numpy_helper.to_array(dense) * np.float32(1 + version)
    dense.CopyFrom(numpy_helper.from_array(weights, "dense"))
    beside = folder / f"{name}.onnx.new"
    onnx.save(with_card(model, card), beside)
    return beside.rename(folder / f"{name}.onnx")


def write_named_version(folder: Path, version: int, name: str = "small") -> Path:
    """The same by the name that `faussaire publish` gives it, beside the others: `small@0123456789ab.onnx`."""
    aside = folder / f".{name}-{version}"
    aside.mkdir()
    path = write_version(aside, version, name)
    moved = path.rename(folder / f"{named(name, digest_of(path))}.onnx")
    aside.rmdir()
    return moved


def write_release(folder: Path, stable: Path, canary: Path | None = None, weight: float = 0.0) -> Release:
    """That of `small`, renamed into its place."""
    release = Release(stable=digest_of(stable), canary=None if canary is None else digest_of(canary), weight=weight)
    beside = folder / ".release"
    beside.write_text(release.text(), encoding="utf-8")
    beside.rename(release_path(folder, "small"))
    return release


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recogniser_card(generator: Path, card: GeneratorCard) -> RecogniserCard:
    return RecogniserCard(
        generator=digest_of(generator),
        image=card.image,
        framing=Framing(extent=20, centred_by="mass"),
        classes=len(card.space.classes),
        styles=len(card.space.styles),
    )


def recogniser_graph(card: RecogniserCard) -> onnx.ModelProto:
    """Products of the pixels with random weights."""
    rng = np.random.default_rng(1)
    pixels = card.image.height * card.image.width * card.image.channels
    sizes = {"classes": card.classes, "styles": card.styles}
    sizes = {name: size for name, size in sizes.items() if size}
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["levels"], ["row"]),
    ]
    initializers = []
    for name, size in sizes.items():
        weights = rng.normal(0, 1e-3, (pixels, size)).astype(np.float32)
        initializers.append(numpy_helper.from_array(weights, f"{name}_weights"))
        nodes.append(helper.make_node("MatMul", ["row", f"{name}_weights"], [f"{name}_logits"]))
        squash = "Softmax" if name == "classes" else "Sin"
        nodes.append(helper.make_node(squash, [f"{name}_logits"], [name]))
    shape: list[str | int | None] = ["batch", card.image.height, card.image.width, card.image.channels]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size]) for name, size in sizes.items()]
    graph = helper.make_graph(nodes, "recogniser", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    for key, value in card.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    return model


def write_recogniser(generator: Path, card: GeneratorCard) -> Path:
    path = recogniser_path(generator)
    onnx.save(recogniser_graph(recogniser_card(generator, card)), path)
    return path


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generators: `small` with class and style codes and a recogniser, `plain` with noise alone."""
    folder = tmp_path_factory.mktemp("models")
    write_recogniser(write_small(folder, "small"), small_card("small"))
    write_small(folder, "plain", coded=False)
    return folder


@pytest.fixture
def own_models(models_dir: Path, tmp_path: Path) -> Path:
    """A copy of the small generators: another server of the tests may serve theirs."""
    return Path(shutil.copytree(models_dir, tmp_path / "models"))


@contextmanager
def listening(app: App, trusted: Path | None = None, **settings: Any) -> Iterator[str]:
    """The URL of a real server of an application, in a thread of its own. The settings bound its connections.

    A server of HTTPS has a certificate that is `trusted`.
    """
    connection: Any = connecting(app, Settings(**settings))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, http=connection)
    server = uvicorn.Server(config)
    with closing(config.bind_socket()) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        url = f"{'https' if trusted else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        transport = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=trusted), retries=8)
        try:
            with httpx.Client(base_url=url, transport=transport) as client:
                assert client.get("/readyz").status_code == 200
            yield url
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


class Secret(NamedTuple):
    """A certificate that signs itself, and its key."""

    certificate: Path
    key: Path


def write_keys(folder: Path, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    """A private key and its public one, in PEM."""
    private, public = folder / "private.pem", folder / "public.pem"
    pem, info = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(pem, info))
    return private, public


def write_secret(folder: Path, name: str = "localhost") -> Secret:
    """For 127.0.0.1 and the name."""
    made = Secret(folder / f"{name}.pem", folder / f"{name}.key")
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:127.0.0.1,DNS:{name}", "-days", "2"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-out", str(made.certificate), "-keyout", str(made.key)]
    command = [program("openssl"), "req", "-x509", *kind, *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture(scope="session")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Secret:
    return write_secret(tmp_path_factory.mktemp("secret"))


class Receiver:
    """What was POSTed to a real server of the test's, at whichever path."""

    def __init__(self, url: str, bodies: list[bytes]) -> None:
        self.url = url
        self.bodies = bodies


@contextmanager
def receiving() -> Iterator[Receiver]:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Receiver(f"http://127.0.0.1:{server.server_port}", bodies)
        finally:
            server.shutdown()
            thread.join()


class Collector:
    """What an OpenTelemetry collector would have got, OTLP over HTTP."""

    def __init__(self, receiver: Receiver) -> None:
        self.url = receiver.url
        self._receiver = receiver

    @property
    def spans(self) -> list[Span]:
        return [span for part in self._parts() for scope in part.scope_spans for span in scope.spans]

    @property
    def resources(self) -> list[dict[str, str]]:
        return [{one.key: one.value.string_value for one in part.resource.attributes} for part in self._parts()]

    def _parts(self) -> list[Any]:
        return [
            part for body in self._receiver.bodies for part in ExportTraceServiceRequest.FromString(body).resource_spans
        ]


@contextmanager
def collecting() -> Iterator[Collector]:
    with receiving() as receiver:
        yield Collector(receiver)
