import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from latent import ClassCode, Framing, GeneratorCard, LatentSpace, RecogniserCard, StyleCode, Training
from latent.card import recogniser_path
from training.datasets.images import ImageSet
from training.errors import ExportRefused
from training.export import recogniser
from training.export.graph import make_graph
from training.export.recogniser import export_recogniser, framing
from training.networks.recogniser import Recogniser

NAMES = tuple("0123456789")


def card(digits: ImageSet, *, styled: bool = True) -> GeneratorCard:
    words = dict.fromkeys(("preset", "network", "objective", "codes"), "infogan")
    figures = {"seed": 0, "epochs": 1, "images": 1, "seconds": 1, "device": "cpu", "parameters": 1}
    styles = (StyleCode(name="slant", low=-0.01, high=0.01),) if styled else ()
    return GeneratorCard(
        name="test",
        version="1",
        data=digits.card,
        image=digits.shape,
        space=LatentSpace(noise_size=2, classes=tuple(ClassCode(name=name) for name in NAMES), styles=styles),
        training=Training.model_validate(words | figures),
        arithmetic="exact",
        largest_sum=0.1,
        proof="0" * 64,
    )


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    path = tmp_path / "test.onnx"
    path.write_bytes(b"a generator")
    return path


@pytest.mark.parametrize("styled", [True, False])
def test_the_file_beside_the_generator_keeps_the_contract(generator: Path, digits: ImageSet, *, styled: bool) -> None:
    made = card(digits, styled=styled)
    torch.manual_seed(0)
    written = export_recogniser(Recogniser(made.space, made.image), made, generator, digits, digits)
    session = ort.InferenceSession(recogniser_path(generator), providers=["CPUExecutionProvider"])
    assert recogniser_path(generator).name == "test.recogniser.onnx"
    found = RecogniserCard.from_metadata(session.get_modelmeta().custom_metadata_map)
    assert found == written
    assert found.generator == hashlib.sha256(b"a generator").hexdigest()
    for count in (1, 7):
        images = digits.images[:count].permute(0, 2, 3, 1).numpy()
        answers = dict(zip((o.name for o in session.get_outputs()), session.run(None, {"image": images}), strict=True))
        assert answers.keys() == ({"classes", "styles"} if styled else {"classes"})
        weights = np.asarray(answers["classes"])
        assert weights.shape == (count, 10)
        assert weights.sum(1) == pytest.approx(1, abs=1e-5)
        if styled:
            assert np.abs(np.asarray(answers["styles"])).max() <= 0.01
    inside = recogniser_path(generator).read_bytes()
    assert str(Path(recogniser.__file__).parent).encode() not in inside


def test_a_recogniser_that_answers_something_else_is_not_published(
    generator: Path, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = make_graph

    def wrong(*arguments: object) -> onnx.ModelProto:
        made: onnx.ModelProto = honest(*arguments)  # type: ignore[arg-type]
        for weights in made.graph.initializer:
            if len(weights.dims) == 4:
                bent = onnx.numpy_helper.to_array(weights) + np.float32(0.5)
                weights.CopyFrom(onnx.numpy_helper.from_array(bent, weights.name))
        return made

    monkeypatch.setattr(recogniser, "make_graph", wrong)
    made = card(digits)
    with pytest.raises(ExportRefused, match="recogniser differs from PyTorch"):
        export_recogniser(Recogniser(made.space, made.image), made, generator, digits, digits)
    assert list(generator.parent.iterdir()) == [generator]


def blocks(*, by_mass: bool) -> torch.Tensor:
    """Bars 20 pixels high with a bright end, each placed so that one of its centres is that of the frame."""
    images = torch.zeros(40, 1, 28, 28, dtype=torch.uint8)
    for k in range(40):
        length = 4 + k % 3 * 2  # of the bright foot, to the right
        box = torch.zeros(20, 4 + length)
        box[:, :4] = 255
        box[-4:, 4:] = 255
        mass_x = float((box.sum(0) * torch.arange(4.0 + length)).sum() / box.sum()) + 0.5
        mass_y = float((box.sum(1) * torch.arange(20.0)).sum() / box.sum()) + 0.5
        left = round(14 - (mass_x if by_mass else (4 + length) / 2))
        top = round(14 - mass_y) if by_mass else 4
        images[k, 0, top : top + 20, left : left + 4 + length] = box.to(torch.uint8)
    return images


@pytest.mark.parametrize("centre", ["mass", "box"])
def test_the_framing_is_how_the_images_lie(centre: str) -> None:
    assert framing(blocks(by_mass=centre == "mass")) == Framing.model_validate({"extent": 20, "centred_by": centre})


def test_blank_images_say_nothing_of_the_framing() -> None:
    both = torch.cat([torch.zeros(50, 1, 28, 28, dtype=torch.uint8), blocks(by_mass=True)])
    assert framing(both) == framing(blocks(by_mass=True))
