import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from latent import Codes, LatentSpace, draw_classes, draw_noise, draw_styles
from service.errors import InvalidModel
from service.inference.generator import Generator


def drawn(space: LatentSpace, seed: int, count: int) -> Codes:
    return Codes(
        draw_noise(space, seed, 0, count),
        space.one_hot(draw_classes(space, seed, 0, count)),
        draw_styles(space, seed, 0, count),
    )


@pytest.fixture(scope="module")
def small(models_dir: Path) -> Generator:
    return Generator(models_dir / "small.onnx", threads=1)


def test_images_have_the_shape_and_type_that_the_card_says(small: Generator) -> None:
    images = small.generate(drawn(small.version.card.space, 1, 33))
    assert images.shape == (33, 28, 28, 1)
    assert images.dtype == np.uint8
    assert images.std() > 0


def test_the_digest_is_the_files(small: Generator, models_dir: Path) -> None:
    again = Generator(models_dir / "small.onnx", threads=1)
    other = Generator(models_dir / "plain.onnx", threads=1)
    assert small.version.digest == again.version.digest != other.version.digest


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "junk.onnx"
    path.write_bytes(b"junk")
    with pytest.raises(InvalidModel, match=r"junk\.onnx is not an ONNX file"):
        Generator(path, threads=1)


def test_a_model_without_a_card_is_refused(tmp_path: Path, models_dir: Path) -> None:
    model = onnx.load(models_dir / "small.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    with pytest.raises(InvalidModel, match=r"no 'faussaire\.card' metadata"):
        Generator(tmp_path / "bare.onnx", threads=1)


def test_a_card_that_speaks_of_other_inputs_than_the_graph_has_is_refused(tmp_path: Path, models_dir: Path) -> None:
    lying, honest = onnx.load(models_dir / "small.onnx"), onnx.load(models_dir / "plain.onnx")
    lying.metadata_props[0].value = honest.metadata_props[0].value
    onnx.save(lying, tmp_path / "lying.onnx")
    with pytest.raises(InvalidModel, match="its inputs are"):
        Generator(tmp_path / "lying.onnx", threads=1)


def test_a_card_without_exact_arithmetic_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, models_dir: Path
) -> None:
    older = onnx.load(models_dir / "small.onnx")
    card = json.loads(older.metadata_props[0].value)
    for field in ("arithmetic", "largest_sum", "proof"):
        del card[field]
    older.metadata_props[0].value = json.dumps(card, separators=(",", ":"))
    onnx.save(older, tmp_path / "older.onnx")
    with pytest.raises(InvalidModel, match=r"older\.onnx: .* make it exact: 'faussaire export FILE --output FILE'"):
        Generator(tmp_path / "older.onnx", threads=1)


def test_warming_up_draws_the_proof_at_once_and_one_by_one(small: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    honest = Generator.generate

    def counted(self: Generator, codes: Codes) -> object:
        drawn.append(len(codes))
        return honest(self, codes)

    monkeypatch.setattr(Generator, "generate", counted)
    small.warm_up()
    assert drawn == [16, *[1] * 16]


def test_a_generator_that_depends_on_the_size_of_its_batch_is_not_served(sensitive: Generator) -> None:
    with pytest.raises(InvalidModel, match="other pixels here than its card records"):
        sensitive.warm_up()


def test_a_file_with_one_other_weight_is_not_served(tmp_path: Path, models_dir: Path) -> None:
    model = onnx.load(models_dir / "small.onnx")
    dense = next(one for one in model.graph.initializer if one.name == "dense")
    weights = numpy_helper.to_array(dense).copy()
    weights[0] += 1
    dense.CopyFrom(numpy_helper.from_array(weights, "dense"))
    onnx.save(model, tmp_path / "changed.onnx")
    with pytest.raises(InvalidModel, match="other pixels here than its card records"):
        Generator(tmp_path / "changed.onnx", threads=1).warm_up()
