"""The generators: those that ship, and a small one of each network."""

import subprocess
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest
import torch

from latent import GeneratorCard, ImageShape, LatentSpace, draw_codes
from latent.space import NoiseDistribution
from tests.conftest import program
from tests.exact.drawing import WEB, Case
from tests.training.export.test_rounding import random_generator, space_of
from training.export.generator import Exported
from training.export.graph import make_graph
from training.export.rounding import round_generator
from training.networks.gan import NETWORKS

SHIPPED = sorted(path for path in Path("models").glob("*.onnx") if ".recogniser" not in path.name)
COLOUR = ImageShape(height=16, width=24, channels=3)

SHIPPED_IMAGES = 20_000
SMALL_IMAGES = 200


@pytest.fixture(scope="session", params=SHIPPED, ids=lambda path: path.stem)
def shipped(request: pytest.FixtureRequest) -> Case:
    session = ort.InferenceSession(request.param, providers=["CPUExecutionProvider"])
    card = GeneratorCard.from_metadata(session.get_modelmeta().custom_metadata_map)
    return Case(request.param, card.space, SHIPPED_IMAGES)


@pytest.fixture(scope="session", params=[(name, noise) for name in NETWORKS for noise in NoiseDistribution], ids=str)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A generator of random weights that draws small images in colour."""
    network, noise = request.param
    space = space_of(20, 3, 2, noise)
    path = tmp_path_factory.mktemp(network) / f"{network}.onnx"
    write_exact(path, network, space)
    return Case(path, space, SMALL_IMAGES)


def write_exact(path: Path, network: str, space: LatentSpace) -> None:
    exported = Exported(round_generator(random_generator(network, space, COLOUR, 0), space), space).eval()
    inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(space, 0, 0, 2).inputs().items()}
    onnx.save(make_graph(exported, inputs, ["image"], {}), path)


@pytest.fixture(scope="session")
def web() -> None:
    """ONNX Runtime Web as package-lock.json names it."""
    program("node")
    subprocess.run([program("npm"), "ci", "--silent"], cwd=WEB, check=True)
