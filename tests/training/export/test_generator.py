from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from latent import GeneratorCard, draw_codes
from training.datasets.images import ImageSet
from training.errors import ExportRefused, InvalidModel
from training.export import generator as exporting
from training.export import styles
from training.export.generator import export_generator
from training.export.graph import make_graph
from training.export.model import Model
from training.export.trained import read_state
from training.loop.checkpoint import State
from training.loop.run import Config, Run
from training.loop.train import train_run
from training.measures.judge import Judge, load_or_train_judge
from training.progress import quiet

CPU = torch.device("cpu")


def quietly(_: str) -> None:
    """Show no stage."""


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """What the style codes mean is tested where it is measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(styles, "REGRESSED", 20)
        patch.setattr(styles, "SWEEPS", 1)
        yield


@pytest.fixture(scope="module")
def judge(digits: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    path = tmp_path_factory.mktemp("judge") / "mnist.pt"
    return load_or_train_judge(path, digits, digits, CPU, quiet)


@pytest.fixture(scope="module")
def state(config: Config, digits: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> State:
    return train_run(Run(tmp_path_factory.mktemp("run")), config, digits, CPU, quiet)


@pytest.fixture(scope="module")
def output(
    state: State, config: Config, digits: ImageSet, judge: Judge, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("models") / "mnist-test.onnx"
    card = export_generator(read_state(state, config, digits), digits, judge, path, quietly)
    metadata = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert GeneratorCard.from_metadata(metadata) == card
    return path


def test_the_file_keeps_the_contract_and_its_card(output: Path, judge: Judge) -> None:
    model = Model(output)
    assert [i.name for i in model.session.get_inputs()] == ["noise", "classes", "styles"]
    assert [o.name for o in model.session.get_outputs()] == ["image"]
    for count in (1, 3, 256):
        images = model.generate(draw_codes(model.card.space, 0, 0, count), 256)
        assert images.shape == (count, 28, 28, 1)
        assert images.dtype == np.uint8
    assert model.card.name == "mnist-test"
    assert {code.name for code in model.card.space.classes} == set("0123456789")
    assert all(code.purity is not None for code in model.card.space.classes)
    assert model.card.training.images == 32 * 32
    assert judge.digest() in model.card.figures[0].protocol


def test_a_plain_gan_exports_with_noise_as_its_only_input(
    tmp_path: Path, config: Config, digits: ImageSet, judge: Judge
) -> None:
    update = {"preset": "gan", "network": "mlp", "codes": "none", "head_start": 0, "epochs": 1}
    plain = config.model_copy(update=update)
    state = train_run(Run(tmp_path / "run"), plain, digits, CPU, quiet)
    output = tmp_path / "plain.onnx"
    export_generator(read_state(state, plain, digits), digits, judge, output, quietly)
    model = Model(output)
    assert [i.name for i in model.session.get_inputs()] == ["noise"]
    assert model.card.space.classes == ()
    assert model.generate(draw_codes(model.card.space, 0, 0, 2), 2).shape == (2, 28, 28, 1)


def test_no_path_of_this_machine_is_inside(output: Path) -> None:
    inside = output.read_bytes()
    here = str(Path(exporting.__file__).parent).encode()
    assert here not in inside
    assert b"site-packages" not in inside
    assert b".py" not in inside


def test_a_file_that_draws_something_else_is_not_published_and_the_old_one_stays(
    tmp_path: Path,
    state: State,
    config: Config,
    digits: ImageSet,
    judge: Judge,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "mnist-test.onnx").write_bytes(b"the one before")
    honest = make_graph

    def wrong(*arguments: object) -> onnx.ModelProto:
        made: onnx.ModelProto = honest(*arguments)  # type: ignore[arg-type]
        name = next(i.name for i in made.graph.initializer if len(i.dims) == 4)
        for weights in made.graph.initializer:
            if weights.name == name:
                bent = onnx.numpy_helper.to_array(weights) + np.float32(1)
                weights.CopyFrom(onnx.numpy_helper.from_array(bent, name))
        return made

    monkeypatch.setattr(exporting, "make_graph", wrong)
    with pytest.raises(ExportRefused, match="otherwise than PyTorch"):
        export_generator(read_state(state, config, digits), digits, judge, tmp_path / "mnist-test.onnx", quietly)
    assert (tmp_path / "mnist-test.onnx").read_bytes() == b"the one before"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["mnist-test.onnx"]


def test_a_model_without_a_card_or_that_is_no_model_is_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"not a model")
    with pytest.raises(InvalidModel, match="is not an ONNX file"):
        Model(junk)
