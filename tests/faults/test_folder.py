"""A models folder that is swapped, emptied and half written under load."""

import shutil
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import write_version
from tests.end_to_end.conftest import serving
from tests.faults.ledger import Ledger, drawn_by


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder as Kubernetes mounts it: two versions of `small` in hidden folders, and links that lead to the first."""
    for number in range(2):
        folder = tmp_path / "mounted" / f"..{number}"
        folder.mkdir(parents=True)
        write_version(folder, number)
    point(tmp_path / "mounted" / "..data", "..0")
    (tmp_path / "mounted" / "small.onnx").symlink_to("..data/small.onnx")
    return tmp_path / "mounted"


def point(link: Path, target: str) -> None:
    """Let a symbolic link lead elsewhere in one step, as Kubernetes does with `..data`."""
    beside = link.with_name("..new")
    beside.symlink_to(target)
    beside.replace(link)


def wait_for_version(server: httpx.Client, name: str) -> None:
    until = time.monotonic() + 60
    while server.post("/v1/images", json={}).headers["faussaire-model"] != name:
        assert time.monotonic() < until


def test_each_answer_is_right_while_the_folder_is_swapped_and_lost(mounted: Path, tmp_path: Path) -> None:
    drawn = [drawn_by(mounted / f"..{number}") for number in range(2)]
    names = [next(iter(images))[0] for images in drawn]
    content = (mounted / "..0" / "small.onnx").read_bytes()
    data, home = mounted / "..data", tmp_path / "home"
    home.mkdir()
    settings = {"FAUSSAIRE_DEFAULT_MODEL": "small", "FAUSSAIRE_WATCH_SECONDS": "0.05"}
    with serving(mounted, home, **settings) as server, Ledger(server.base_url, drawn[0] | drawn[1]) as ledger:
        for number in (1, 0, 1):
            point(data, f"..{number}")
            wait_for_version(server, names[number])
            ledger.wait_for(50)
        data.unlink()  # the link leads nowhere
        ledger.wait_for(50)
        (mounted / "..half").mkdir()
        (mounted / "..half" / "small.onnx").write_bytes(content[: len(content) // 2])
        point(data, "..half")
        ledger.wait_for(50)
        shutil.rmtree(mounted)
        ledger.wait_for(50)
        mounted.mkdir()
        (mounted / "beside").write_bytes(content)
        (mounted / "beside").rename(mounted / "small.onnx")
        wait_for_version(server, names[0])
        ledger.wait_for(50)
    assert ledger.wrong == []
    assert ledger.counts["broken"] == 0
    assert set(ledger.versions) == set(names)
    assert "Traceback" not in (home / "serve.log").read_text()
