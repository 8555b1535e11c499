"""The package of OpenSSF verifies what is signed here, and what it signs is trusted here."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from latent.card import digest_of, signature_path
from latent.signature import read_private_key, read_public_keys, signed_digest
from service.settings import ROOT
from tests.conftest import write_keys, write_small
from training.publishing.signing import Signer

PROGRAM = ROOT / ".venv/clients/bin/model_signing"

CURVES = {curve.name: curve for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}


@pytest.fixture(params=CURVES)
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key."""
    if not PROGRAM.exists():
        pytest.skip("make .venv/clients/installed has not been run")
    key = ec.generate_private_key(CURVES[request.param])
    private, public = write_keys(tmp_path, key)
    assert read_private_key(private).public_key() == key.public_key()
    return private, public


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_the_package_verifies_what_is_signed_here(keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    model = write_small(tmp_path, "plain", coded=False)
    Signer(private)(model)
    command = ("verify", "key", "--public_key", public, "--signature", signature_path(model), model)
    assert model_signing(*command).returncode == 0
    model.write_bytes(model.read_bytes() + b"more")
    assert model_signing(*command).returncode != 0


def test_what_the_package_signs_is_trusted_here(keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    model = write_small(tmp_path, "plain", coded=False)
    made = model_signing("sign", "key", "--private_key", private, "--signature", signature_path(model), model)
    assert made.returncode == 0, made.stderr
    assert signed_digest(signature_path(model).read_bytes(), read_public_keys(public)) == digest_of(model)
