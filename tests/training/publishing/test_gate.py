from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.conftest import small_card, write_recogniser, write_small, write_version
from tests.training.conftest import first
from training.datasets.images import ImageSet
from training.errors import Unfit
from training.evaluation import by_class
from training.export.model import Model
from training.measures.distances import frechet
from training.measures.judge import Judge, make_network
from training.publishing import gate
from training.publishing.gate import ASKED, FID, READ, Comparison, Measured, Protocol, compare, draws_the_same


@pytest.fixture(scope="module")
def protocol(digits: ImageSet) -> Protocol:
    """By an untrained judge: its features differ between images that differ, which is enough here."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        judge = Judge(make_network(1, 10).eval().requires_grad_(False), digits.classes, 0.1)
        return Protocol.of(judge, first(digits, 200), 200)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RESAMPLED", 10)
    monkeypatch.setattr(by_class, "IMAGES_PER_CLASS", 40)


WORSE = [
    (FID, 4.0, 4.5, False),
    (FID, 4.0, 4.6, True),
    (FID, 4.0, 2.0, False),
    (ASKED, 0.9, 0.35, False),
    (ASKED, 0.9, 0.3, True),
    (ASKED, 0.9, 1.0, False),
    (READ, 0.9, float("nan"), True),
]


@pytest.mark.parametrize(("name", "published", "new", "worse"), WORSE)
def test_a_measure_may_be_worse_by_two_standard_errors_of_the_difference(
    name: str, published: float, new: float, *, worse: bool
) -> None:
    row = Comparison(name, Measured(published, 0.12), Measured(new, 0.25))
    assert row.margin == pytest.approx(2 * np.hypot(0.12, 0.25))
    assert row.worse is worse


def test_a_measure_that_the_new_one_lacks_is_worse_and_one_that_it_has_alone_is_not_compare() -> None:
    one = Measured(0.5, 0.1)
    rows = compare({FID: one, READ: one}, {FID: one, ASKED: one})
    assert [(row.name, row.worse) for row in rows] == [(FID, False), (READ, True)]


def test_a_share_has_the_error_of_its_count() -> None:
    assert Measured.of_share(0.9, 10_000).error == pytest.approx(0.003, rel=0.01)
    assert 0 < Measured.of_share(1.0, 10_000).error < 2e-4


def test_the_error_of_a_distance_is_about_that_of_drawing_again(protocol: Protocol) -> None:
    """By a bootstrap, against samples of other seeds."""
    source = torch.Generator().manual_seed(0)

    def drawn() -> torch.Tensor:
        return 2 + torch.rand(400, 8, generator=source)

    bench = replace(protocol, features=torch.rand(400, 8, generator=source))
    distances = [frechet(bench.features, drawn()) for _ in range(30)]
    errors = [bench._fid(drawn()).error for _ in range(5)]
    assert np.mean(errors) == pytest.approx(np.std(distances, ddof=1), rel=0.5)


def test_the_same_generator_is_no_worse_and_a_broken_one_is(protocol: Protocol, tmp_path: Path) -> None:
    path = write_version(tmp_path, 0)
    write_recogniser(path, small_card())
    measured = protocol.measure(path)
    assert measured.keys() == {FID, ASKED, READ}
    assert not any(row.worse for row in compare(measured, protocol.measure(path)))
    bare = protocol.measure(write_version(tmp_path / "..", 0))
    assert bare.keys() == {FID, ASKED}
    (tmp_path / "broken").mkdir()
    broken = write_version(tmp_path / "broken", 0)
    model = onnx.load(broken)
    for weights in model.graph.initializer:
        if weights.name == "kernel":
            weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * np.float32(0), "kernel"))
    onnx.save(model, broken)
    assert FID in [row.name for row in compare(bare, protocol.measure(broken)) if row.worse]


def test_a_generator_of_other_images_is_refused(protocol: Protocol, tmp_path: Path) -> None:
    card = small_card()
    letters = tuple(code.model_copy(update={"name": f"letter {code.name}"}) for code in card.space.classes)
    path = tmp_path / "small.onnx"
    model = onnx.load(write_small(tmp_path))
    del model.metadata_props[:]
    renamed = card.model_copy(update={"space": card.space.model_copy(update={"classes": letters})})
    for key, value in renamed.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    with pytest.raises(Unfit, match="does not draw images and classes of mnist; publish under another --name"):
        protocol.measure(path)


def test_the_same_weights_are_the_same_whatever_their_card_says_of_its_date(tmp_path: Path) -> None:
    paths = []
    for place, number in enumerate((0, 0, 1)):
        (tmp_path / str(place)).mkdir()
        paths.append(write_version(tmp_path / str(place), number))
    model = onnx.load(paths[1])
    del model.metadata_props[:]
    for key, value in small_card().model_copy(update={"version": "2026.11.25"}).to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, paths[1])
    one, same, other = map(Model, paths)
    assert one.card != same.card
    assert draws_the_same(one, same)
    assert not draws_the_same(one, other)
    assert not draws_the_same(one, Model(write_small(tmp_path, "plain", coded=False)))
