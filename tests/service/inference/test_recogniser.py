from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from latent import ImageShape, RecogniserCard
from service.errors import InvalidModel
from service.inference.generator import Generator
from service.inference.recogniser import Recogniser
from tests.conftest import recogniser_card, recogniser_graph, small_card, write_generator, write_recogniser, write_small


@pytest.fixture(scope="module")
def small(models_dir: Path) -> Generator:
    return Generator(models_dir / "small.onnx", threads=1)


@pytest.fixture(scope="module")
def recogniser(models_dir: Path, small: Generator) -> Recogniser:
    return Recogniser(models_dir / "small.recogniser.onnx", small, threads=1)


def test_an_image_gives_weights_and_styles_in_the_cards_order(recogniser: Recogniser) -> None:
    image = np.random.default_rng(0).integers(0, 255, (28, 28, 1), np.uint8)
    codes = recogniser.recognise(image)
    assert codes.classes.shape == (10,)
    assert codes.classes.sum() == pytest.approx(1)
    assert codes.styles.shape == (2,)
    other = recogniser.recognise(255 - image)
    assert not np.array_equal(codes.classes, other.classes)


def test_a_recogniser_without_style_codes_has_no_such_output(tmp_path: Path) -> None:
    card = small_card()
    card = card.model_copy(update={"space": card.space.model_copy(update={"styles": ()})})
    path = write_generator(tmp_path, card)
    codes = Recogniser(write_recogniser(path, card), Generator(path, threads=1), threads=1).recognise(
        np.zeros((28, 28, 1), np.uint8)
    )
    assert codes.classes.shape == (10,)
    assert codes.styles.shape == (0,)


CONTRARY: list[tuple[dict[str, Any], str]] = [
    ({"generator": "0" * 64}, "belongs to the generator of digest 000000000000"),
    ({"image": ImageShape(height=32, width=32, channels=1)}, "card field 'image'"),
    ({"classes": 9}, "card field 'classes' is 9, but in small it is 10"),
    ({"styles": 1}, "card field 'styles' is 1, but in small it is 2"),
]


@pytest.mark.parametrize(("changes", "wrong"), CONTRARY, ids=[next(iter(c)) for c, _ in CONTRARY])
def test_a_recogniser_of_another_generator_is_refused_with_the_remedy(
    tmp_path: Path, small: Generator, changes: dict[str, Any], wrong: str
) -> None:
    card = RecogniserCard.model_validate(recogniser_card(small.path, small.version.card).model_dump() | changes)
    path = tmp_path / "other.recogniser.onnx"
    onnx.save(recogniser_graph(card), path)
    with pytest.raises(InvalidModel, match=wrong) as raised:
        Recogniser(path, small, threads=1)
    assert str(path) in str(raised.value)
    assert "faussaire export" in str(raised.value)


def bare(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def generators(model: onnx.ModelProto) -> None:
    model.metadata_props[0].key = "faussaire.card"


def unsaid(model: onnx.ModelProto) -> None:
    model.metadata_props[0].value = model.metadata_props[0].value.replace('"mass"', '"eye"')


def renamed(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = model.graph.node[3].output[0] = "labels"


def lacking(model: onnx.ModelProto) -> None:
    del model.graph.output[1]


BROKEN: list[tuple[Callable[[onnx.ModelProto], None], str]] = [
    (bare, r"no 'faussaire\.recogniser' metadata"),
    (generators, r"no 'faussaire\.recogniser' metadata"),
    (unsaid, r"card field 'framing\.centred_by'"),
    (renamed, "its outputs are .*labels"),
    (lacking, "its outputs are"),
]


@pytest.mark.parametrize(("breaks", "wrong"), BROKEN, ids=[breaks.__name__ for breaks, _ in BROKEN])
def test_a_file_that_breaks_the_contract_is_refused(
    tmp_path: Path, small: Generator, breaks: Callable[[onnx.ModelProto], None], wrong: str
) -> None:
    model = recogniser_graph(recogniser_card(small.path, small.version.card))
    breaks(model)
    path = tmp_path / "broken.recogniser.onnx"
    onnx.save(model, path)
    with pytest.raises(InvalidModel, match=wrong) as raised:
        Recogniser(path, small, threads=1)
    assert str(path) in str(raised.value)


def test_a_file_that_wants_more_images_at_a_time_is_refused(tmp_path: Path) -> None:
    generator = write_small(tmp_path)
    path = write_recogniser(generator, small_card())
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 16
    onnx.save(model, path)
    with pytest.raises(InvalidModel, match=r"small\.recogniser\.onnx: the recogniser cannot read one image"):
        Recogniser(path, Generator(generator, threads=1), threads=1).warm_up()


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path, small: Generator) -> None:
    path = tmp_path / "junk.recogniser.onnx"
    path.write_bytes(b"junk")
    with pytest.raises(InvalidModel, match=r"junk\.recogniser\.onnx is not an ONNX file"):
        Recogniser(path, small, threads=1)
