"""Published models with a signature, and the command that verifies it."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from latent.card import recogniser_path, signature_path
from latent.release import version_label
from tests.conftest import digest_of, small_card, write_keys, write_recogniser, write_version
from training.cli import app
from training.errors import Unfit
from training.publishing.signing import Signer
from training.publishing.versions import Versions


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with `private.pem` and `public.pem`."""
    folder = tmp_path / "keys"
    folder.mkdir()
    write_keys(folder, ec.generate_private_key(ec.SECP256R1()))
    return folder


@pytest.fixture
def made(tmp_path: Path) -> list[Path]:
    paths = []
    for number in range(4):
        (tmp_path / f"made{number}").mkdir()
        paths.append(write_version(tmp_path / f"made{number}", number))
    write_recogniser(paths[0], small_card())
    return paths


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def verify(keys: Path, *files: Path) -> tuple[int, str]:
    """The exit code of `faussaire verify-model`, and what it said in one line."""
    done = CliRunner().invoke(app, ["verify-model", *map(str, files), "--keys", str(keys / "public.pem")])
    return done.exit_code, re.sub(r"\s+", " ", done.output)


def test_a_published_version_is_signed_with_its_recogniser(models: Path, made: list[Path], keys: Path) -> None:
    Versions.find(models, "small").publish(made[0], None, 3, Signer(keys / "private.pem"))
    path = models / f"{version_label('small', digest_of(made[0]))}.onnx"
    assert verify(keys, path)[0] == 0
    assert signature_path(recogniser_path(path)).exists()
    recogniser_path(path).write_bytes(b"another")
    status, said = verify(keys, path)
    assert status == 1
    assert "NOT verified" in said
    assert "is the signature of another file" in said


def test_signatures_go_with_the_versions_that_are_not_kept(models: Path, made: list[Path], keys: Path) -> None:
    for path in made:
        Versions.find(models, "small").publish(path, None, 2, Signer(keys / "private.pem"))
    kept = {f"{version_label('small', digest_of(path))}.onnx" for path in made[-2:]}
    assert {path.name for path in models.iterdir()} == kept | {f"{name}.sig" for name in kept} | {"small.release.json"}


def test_a_version_that_is_there_already_is_signed_where_it_is(models: Path, made: list[Path], keys: Path) -> None:
    Versions.find(models, "small").publish(made[0], None, 3)
    path = models / f"{version_label('small', digest_of(made[0]))}.onnx"
    assert "has no signature" in verify(keys, path)[1]
    Versions.find(models, "small").publish(made[0], None, 3, Signer(keys / "private.pem"))
    assert verify(keys, path)[0] == 0


def test_what_cannot_sign_is_named_before_anything_is_done(keys: Path) -> None:
    with pytest.raises(Unfit, match=r"public.pem must be a private key"):
        Signer(keys / "public.pem")


def test_a_file_that_is_not_there_is_not_verified(keys: Path, tmp_path: Path) -> None:
    assert verify(keys, tmp_path / "none.onnx") == (1, f"{tmp_path}/none.onnx: NOT verified: there is no such file ")
