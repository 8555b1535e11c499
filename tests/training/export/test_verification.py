"""`faussaire verify`, by the generators of a folder, and the service's pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.testclient import TestClient

from latent.origin import KEYWORD
from latent.verification import Reason, Unverified
from service.app import create_app
from service.settings import Settings
from training.cli import main
from training.errors import InvalidFolder, InvalidPicture
from training.export.verification import Verifier


@pytest.fixture(scope="module")
def sheet(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images by `small`, twice as large."""
    path = tmp_path_factory.mktemp("ours") / "sheet.png"
    with TestClient(create_app(Settings(models_dir=models_dir, default_model="small"))) as client:
        path.write_bytes(client.post("/v1/images", json={"seed": 5, "n": 4, "scale": 2}).content)
    return path


def forge(sheet: Path, output: Path, **changes: object) -> Path:
    """The sheet with another record, or with one other pixel."""
    picture = Image.open(sheet)
    record, pixels = json.loads(picture.info[KEYWORD]), np.asarray(picture).copy()
    if not changes:
        pixels[-1, -1] ^= 1
    chunks = PngInfo()
    chunks.add_text(KEYWORD, json.dumps(record | changes))
    Image.fromarray(pixels).save(output, pnginfo=chunks)
    return output


def test_a_picture_of_the_service_is_verified_by_its_file(sheet: Path, models_dir: Path) -> None:
    found = Verifier(models_dir).verify(sheet)
    assert (found.version.name, found.origin.seed) == ("small", 5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "pixels-differ"),
        ({"seed": 6}, "pixels-differ"),
        ({"digest": "0" * 64}, "unknown-version"),
        ({"model": "plain"}, "unknown-version"),
        ({"class": "eleven"}, "other-codes"),
        ({"n": 2**62}, "size-differs"),
        ({"n": 0}, "no-record"),
        ({"images": "0" * 64}, "codes-not-recorded"),
    ],
    ids=str,
)
def test_what_is_not_ours_is_told_with_the_reason(
    sheet: Path, models_dir: Path, tmp_path: Path, changes: dict[str, object], reason: Reason
) -> None:
    with pytest.raises(Unverified) as told:
        Verifier(models_dir).verify(forge(sheet, tmp_path / "forged.png", **changes))
    assert told.value.reason == reason


def test_an_animation_is_told_to_be_one(sheet: Path, models_dir: Path, tmp_path: Path) -> None:
    chunks, picture = PngInfo(), Image.open(sheet)
    chunks.add_text(KEYWORD, picture.info[KEYWORD])
    other = Image.fromarray(255 - np.asarray(picture))
    picture.save(tmp_path / "moving.png", save_all=True, append_images=[other], pnginfo=chunks)
    with pytest.raises(Unverified, match="frames as a sheet"):
        Verifier(models_dir).verify(tmp_path / "moving.png")


def test_what_is_no_picture_and_no_folder_is_named(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "junk.png").write_bytes(b"junk")
    for path, message in (("junk.png", "is not an image"), ("none.png", "no such file"), (".", "is a folder")):
        with pytest.raises(InvalidPicture, match=message):
            Verifier(models_dir).verify(tmp_path / path)
    with pytest.raises(InvalidFolder, match=r"no \.onnx file; name the folder"):
        Verifier(tmp_path)


@pytest.mark.parametrize("forged", [False, True])
def test_the_command_says_a_line_of_each_file_and_its_exit_code_tells_all(
    sheet: Path,
    models_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    forged: bool,
) -> None:
    files = [str(sheet), *([str(forge(sheet, tmp_path / "forged.png"))] if forged else [])]
    monkeypatch.setattr("sys.argv", ["faussaire", "verify", "--models", str(models_dir), *files])
    with pytest.raises(SystemExit) as ended:
        main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{sheet}: verified: small@")
    assert lines[0].endswith("seed 5, index 0, 4 images")
    assert (ended.value.code or 0) == int(forged)
    assert len(lines) == len(files)
    if forged:
        assert lines[1].endswith("NOT verified: pixels-differ. Pixels that differ from those that the record draws: 1.")
