import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST

from faussaire import Client
from latent import draw_noise
from latent.dataset import Dataset, shard
from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import digest_of, listening, write_version
from tests.training.test_cli import run
from training.commands.terminal import Terminal
from training.errors import Unfit, UnknownName
from training.export.model import Model
from training.export.recipe import Job, read_checksum, shard_path
from training.export.shards import draw_shard, draw_shards, parse_styles, place_styles
from training.progress import Advance

CGAN = ROOT / "models" / "mnist-cgan.onnx"
INFOGAN = ROOT / "models" / "mnist-infogan.onnx"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(CGAN)


def unheard(_: int) -> None:
    pass


class Shown(Terminal):
    """A display that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.advances: list[int] = []

    @contextmanager
    def items(self, title: str, total: int) -> Iterator[Advance]:  # noqa: ARG002
        yield self.advances.append

    def say(self, line: str) -> None:
        self.lines.append(line)


def extracted(path: Path, folder: Path) -> MNIST:
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    return MNIST(str(folder), train=True)


def test_shards_drawn_alone_are_the_parts_of_the_whole(tmp_path: Path, model: Model) -> None:
    space = model.card.space
    draw_shard(model, Dataset(space, 4, 0, 600), "idx", tmp_path / "whole.tar", unheard)
    whole = extracted(tmp_path / "whole.tar", tmp_path / "whole")
    for number in (2, 0, 1):
        items = shard(600, 3, number)
        path = shard_path(tmp_path, "idx", number, 3)
        draw_shard(model, Dataset(space, 4, items.start, items.stop), "idx", path, unheard)
        part = extracted(path, tmp_path / f"part-{number}")
        assert np.array_equal(part.data, whole.data[items.start : items.stop])
        assert np.array_equal(part.targets, whole.targets[items.start : items.stop])
    codes = Dataset(space, 4, 0, 600).codes(range(7, 8))
    assert np.array_equal(codes.noise, draw_noise(space, 4, 7, 1))  # item 7 is image 7 of the seed
    assert np.array_equal(whole.data[7].numpy(), model.generate(codes, 1)[0, :, :, 0])


def test_a_shard_has_its_checksum_and_is_not_drawn_twice(tmp_path: Path) -> None:
    shown, job = Shown(), Job("webdataset", 300, 1, 4, "even", {})
    path = shard_path(tmp_path, "webdataset", 0, 1)
    draw_shards(tmp_path, job, [0], CGAN, shown)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_checksum(path) == checksum
    assert shown.lines == [f"{checksum}  {path}"]
    assert shown.advances == [256, 44]
    path.write_bytes(b"left as it is")
    draw_shards(tmp_path, job, [0], CGAN, shown)
    assert path.read_bytes() == b"left as it is"
    assert (shown.lines, shown.advances) == ([f"{checksum}  {path}"] * 2, [256, 44, 300])
    (tmp_path / f"{path.name}.sha256").unlink()  # as if the writing had ended between the two files
    draw_shards(tmp_path, job, [0], CGAN, shown)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == read_checksum(path) == checksum


def test_a_style_is_held_by_name_within_its_range() -> None:
    space = Model(INFOGAN).card.space
    first, second = (style.name for style in space.styles)
    assert place_styles(space, parse_styles([f"{second}=0.5", f"{first}=-1"])) == {1: 0.5, 0: -1.0}
    with pytest.raises(UnknownName, match=f"unknown style code 'smile'; choose one of: {first}"):
        place_styles(space, {"smile": 1})
    reach = space.styles[0]
    with pytest.raises(Unfit, match=f"must be from {reach.low:g} to {reach.high:g}"):
        place_styles(space, {first: 3})
    with pytest.raises(Unfit, match="is not NAME=NUMBER"):
        parse_styles([first])


def test_the_command_writes_all_shards_goes_on_and_refuses_another_data_set_in_their_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = str(tmp_path / "set")
    command = ["dataset", "--model", str(CGAN), "-o", folder, "--items", "500", "--shards", "2"]
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


def test_shards_of_two_versions_never_become_one_data_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    first = write_version(models, 0)
    app = create_app(Settings(models_dir=models, default_model="small", watch_seconds=0.01))
    with listening(app) as url:
        command = ["dataset", "--from", url, "-o", str(tmp_path / "set"), "--items", "20", "--shards", "2"]
        assert run(monkeypatch, capsys, *command, "--shard", "0")[0] == 0
        before = digest_of(first)
        after = digest_of(write_version(models, 1))
        with Client(url) as client:
            while client.models()[0].digest == before:  # the service looks at its folder again and again
                pass
        code, said = run(monkeypatch, capsys, *command, "--shard", "1")
        assert code == 2
        assert f"its sha256 is {before}, not {after}" in said
        code, said = run(monkeypatch, capsys, *command, "--name", f"small@{before[:12]}")
        assert code == 2
        assert f"no longer has small@{before[:12]}" in said
        code, said = run(monkeypatch, capsys, *command, "--name", "other")
        assert code == 2
        assert "has no model 'other'; --name takes one of: small" in said


def test_a_service_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, said = run(monkeypatch, capsys, "dataset", "--from", "http://127.0.0.1:9", "-o", str(tmp_path / "set"))
    assert code == 2
    assert "http://127.0.0.1:9 does not answer (ConnectError); check that it runs" in said
    assert not list((tmp_path / "set").glob("*.tar"))
