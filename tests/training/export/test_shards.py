import hashlib
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST

from latent import draw_noise
from latent.dataset import Dataset, shard
from service.settings import ROOT
from tests.training.test_cli import run
from training.errors import Unfit, UnknownName
from training.export.model import Model
from training.export.shards import drawn, held_styles, shard_path, styles_of, write_shard, written

ACGAN = ROOT / "models" / "mnist-acgan.onnx"
INFOGAN = ROOT / "models" / "mnist-infogan.onnx"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(ACGAN)


def unheard(_: int) -> None:
    pass


def extracted(path: Path, folder: Path) -> MNIST:
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    return MNIST(str(folder), train=True)


def test_shards_drawn_alone_are_the_parts_of_the_whole(tmp_path: Path, model: Model) -> None:
    space = model.card.space
    write_shard(tmp_path / "whole.tar", lambda: drawn(model, Dataset(space, 4, 0, 600), "idx"), unheard)
    whole = extracted(tmp_path / "whole.tar", tmp_path / "whole")
    for number in (2, 0, 1):
        items = shard(600, 3, number)
        path = shard_path(tmp_path, "idx", number, 3)
        write_shard(path, partial(drawn, model, Dataset(space, 4, items.start, items.stop), "idx"), unheard)
        part = extracted(path, tmp_path / f"part-{number}")
        assert np.array_equal(part.data, whole.data[items.start : items.stop])
        assert np.array_equal(part.targets, whole.targets[items.start : items.stop])
    codes = Dataset(space, 4, 0, 600).codes(range(7, 8))
    assert np.array_equal(codes.noise, draw_noise(space, 4, 7, 1))  # item 7 is image 7 of the seed
    assert np.array_equal(whole.data[7].numpy(), model.generate(codes, 1)[0, :, :, 0])


def test_a_shard_has_its_checksum_and_is_not_drawn_twice(tmp_path: Path, model: Model) -> None:
    path, seen = tmp_path / "part.tar", list[int]()
    parts = partial(drawn, model, Dataset(model.card.space, 4, 0, 300), "webdataset")
    made = write_shard(path, parts, seen.append)
    assert made == hashlib.sha256(path.read_bytes()).hexdigest() == written(path)
    assert seen == [256, 44, 0]
    path.write_bytes(b"left as it is")
    assert write_shard(path, parts, seen.append) == made
    assert path.read_bytes() == b"left as it is"
    (tmp_path / "part.tar.sha256").unlink()  # as when the writing was cut off between the two
    assert write_shard(path, parts, seen.append) == made
    assert hashlib.sha256(path.read_bytes()).hexdigest() == made


def test_a_style_is_held_by_name_within_its_range() -> None:
    model = Model(INFOGAN)
    first, second = (style.name for style in model.card.space.styles)
    assert held_styles(model, styles_of([f"{second}=0.5", f"{first}=-1"])) == {1: 0.5, 0: -1.0}
    with pytest.raises(UnknownName, match=f"unknown style code 'smile'; choose one of: {first}"):
        held_styles(model, {"smile": 1})
    reach = model.card.space.styles[0]
    with pytest.raises(Unfit, match=f"must be from {reach.low:g} to {reach.high:g}"):
        held_styles(model, {first: 3})
    with pytest.raises(Unfit, match="is not NAME=NUMBER"):
        styles_of([first])


def test_the_command_writes_all_shards_goes_on_and_refuses_another_data_set_in_their_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = str(tmp_path / "set")
    command = ["dataset", "--model", str(ACGAN), "-o", folder, "--items", "500", "--shards", "2"]
    assert run(monkeypatch, capsys, *command, "--shard", "1")[0] == 0
    assert [path.name for path in sorted(Path(folder).glob("*.tar"))] == ["part-00001-of-00002.tar"]
    code, said = run(monkeypatch, capsys, *command)
    assert code == 0
    assert "500/500" in said
    assert len(list(Path(folder).glob("*.tar"))) == 2
    code, said = run(monkeypatch, capsys, *command, "--seed", "1")
    assert code == 2
    assert "its seed is 0, not 1" in said
    code, said = run(monkeypatch, capsys, *command, "--shard", "2")
    assert code == 2
    assert "--shard must be from 0 to 1" in said
    code, said = run(monkeypatch, capsys, "dataset", "-o", folder)
    assert code == 2
    assert "give either --model FILE" in said


def test_a_service_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, said = run(monkeypatch, capsys, "dataset", "--from", "http://127.0.0.1:9", "-o", str(tmp_path / "set"))
    assert code == 2
    assert "http://127.0.0.1:9 answers no more (ConnectError); see that it runs" in said
    assert not list((tmp_path / "set").glob("*.tar"))
