"""Files as they were before arithmetic was exact: a graph of floating point that ends in tanh."""

import json
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from latent import ImageShape, draw_codes
from latent.card import CARD_KEY, recogniser_path
from latent.space import NoiseDistribution
from tests.conftest import digest_of, small_card, write_recogniser, write_small
from tests.training.export.test_rounding import random_generator, space_of
from training.errors import InvalidModel
from training.export.graph import make_graph
from training.export.older import read_older
from training.export.recogniser import copy_recogniser, read_recogniser
from training.networks.drawer import to_uint8
from training.networks.gan import Generator
from training.networks.latents import draw

SPACE = space_of(8, 3, 1, NoiseDistribution.UNIFORM)
IMAGE = ImageShape(height=8, width=12, channels=3)


class Float(nn.Module):
    """What older exports wrote."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, *inputs: Tensor) -> Tensor:
        return to_uint8(self.generator(*inputs)).permute(0, 2, 3, 1)


def write_older(path: Path, generator: Generator) -> None:
    card = small_card().model_copy(update={"space": SPACE, "image": IMAGE})
    older = card.model_dump(mode="json", exclude={"arithmetic", "largest_sum", "proof"})
    inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(SPACE, 0, 0, 2).inputs().items()}
    onnx.save(make_graph(Float(generator).eval(), inputs, ["image"], {CARD_KEY: json.dumps(older)}), path)


@pytest.mark.parametrize("network", ["mlp", "dcgan", "compact"])
def test_the_layers_of_an_older_file_draw_what_its_run_drew(tmp_path: Path, network: str) -> None:
    generator = random_generator(network, SPACE, IMAGE, 0)
    write_older(tmp_path / "older.onnx", generator)
    read = read_older(tmp_path / "older.onnx")
    assert (read.space, read.generator.image, read.training.preset) == (SPACE, IMAGE, "none")
    latents = draw(SPACE, 32, torch.Generator().manual_seed(0))
    assert torch.allclose(read.generator(*latents), generator(*latents), atol=1e-4)


def test_what_is_no_older_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(InvalidModel, match=r"junk\.onnx is not an ONNX file"):
        read_older(tmp_path / "junk.onnx")
    bare = write_recogniser(write_small(tmp_path), small_card())
    with pytest.raises(InvalidModel, match="has no card of a generator"):
        read_older(bare)


def test_an_exact_file_is_left_alone() -> None:
    shipped = Path(__file__).parents[3] / "models" / "mnist-cgan.onnx"
    with pytest.raises(InvalidModel, match="exact already"):
        read_older(shipped)


def test_a_recogniser_goes_with_the_renewed_file(tmp_path: Path) -> None:
    older, renewed = write_small(tmp_path), tmp_path / "renewed.onnx"
    write_recogniser(older, small_card())
    renewed.write_bytes(b"a generator")
    model = read_recogniser(older)
    assert model is not None
    copy_recogniser(model, renewed)
    copied = onnx.load(recogniser_path(renewed))
    assert copied.graph == model.graph
    card = json.loads(copied.metadata_props[0].value)
    assert card["generator"] == digest_of(renewed)


def test_a_generator_without_a_recogniser_has_none_to_copy(tmp_path: Path) -> None:
    assert read_recogniser(write_small(tmp_path)) is None
    recogniser_path(tmp_path / "small.onnx").write_bytes(b"junk")
    with pytest.raises(InvalidModel, match="is not a recogniser"):
        read_recogniser(tmp_path / "small.onnx")
