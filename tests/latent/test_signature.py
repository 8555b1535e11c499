"""Signatures: made and checked here. tests/clients has those of the package of OpenSSF."""

import json
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from latent.signature import InvalidKey, InvalidSignature, read_private_key, read_public_keys, sign, signed_digest
from tests.conftest import write_secret

DIGEST = "0123456789abcdef" * 4
KEYS = {curve.name: ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}
(KEY, OTHER, _) = KEYS.values()
MADE = sign("small.onnx", DIGEST, KEY)


def write_private(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> Path:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    path.write_bytes(content)
    return path


def write_public(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> Path:
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, info))
    return path


@pytest.mark.parametrize("curve", KEYS)
def test_a_signature_has_the_digest_for_the_key_that_made_it_alone(curve: str) -> None:
    key = KEYS[curve]
    made = sign("small.onnx", DIGEST, key).encode()
    others = [one.public_key() for name, one in KEYS.items() if name != curve]
    assert signed_digest(made, [*others, key.public_key()]) == DIGEST
    with pytest.raises(InvalidSignature, match="none of the trusted keys"):
        signed_digest(made, others)


def changed(**statement: Any) -> dict[str, Any]:
    """The bundle with members of its statement changed, and its signature as it was."""
    bundle: dict[str, Any] = json.loads(MADE)
    envelope = bundle["dsseEnvelope"]
    envelope["payload"] = b64encode(
        json.dumps(json.loads(b64decode(envelope["payload"])) | statement).encode()
    ).decode()
    return bundle


def test_a_changed_statement_is_refused() -> None:
    resource = {"name": ".", "algorithm": "sha256", "digest": "f" * 64}
    for bundle in (changed(predicate={"resources": [resource]}), changed(predicateType="x"), changed(more=1)):
        with pytest.raises(InvalidSignature, match="none of the trusted keys"):
            signed_digest(json.dumps(bundle).encode(), [KEY.public_key()])


def test_a_signature_of_something_else_than_one_file_is_refused() -> None:
    statements: list[Any] = [{"predicateType": "https://slsa.dev/provenance/v1"}, {"predicate": {}}, []]
    for statement in statements:
        payload = json.dumps(statement).encode()
        kind = "application/vnd.in-toto+json"
        encoded = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
        made = KEY.sign(encoded, ec.ECDSA(hashes.SHA256()))
        envelope = {
            "payload": b64encode(payload).decode(),
            "payloadType": kind,
            "signatures": [{"sig": b64encode(made).decode()}],
        }
        with pytest.raises(InvalidSignature, match="not of one file"):
            signed_digest(json.dumps({"dsseEnvelope": envelope}).encode(), [KEY.public_key()])


@given(st.integers(0, len(MADE) - 1), st.binary(max_size=3))
def test_no_changed_byte_gives_another_digest(place: int, put: bytes) -> None:
    text = MADE.encode()[:place] + put + MADE.encode()[place + len(put) :]
    with suppress(InvalidSignature):
        assert signed_digest(text, [KEY.public_key()]) == DIGEST


def test_keys_are_read_from_a_file_or_a_folder(tmp_path: Path) -> None:
    for name, key in (("a.pem", KEY), ("b.pem", OTHER)):
        write_public(tmp_path / name, key)
    (tmp_path / ".hidden").write_text("no key")
    assert len(read_public_keys(tmp_path)) == 2
    assert signed_digest(MADE.encode(), read_public_keys(tmp_path / "a.pem")) == DIGEST
    assert read_private_key(write_private(tmp_path / "private", KEY)).public_key() == KEY.public_key()


def test_a_certificate_stands_for_its_key(tmp_path: Path) -> None:
    certificate, key = write_secret(tmp_path)
    made = sign("small.onnx", DIGEST, read_private_key(key)).encode()
    assert signed_digest(made, read_public_keys(certificate)) == DIGEST


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")
    (tmp_path / "empty").mkdir()
    large = rsa.generate_private_key(65537, 2048)
    public = {"text": "public key or a certificate", "none": "No such file", "empty": "has no key"}
    write_public(tmp_path / "rsa", large)
    for name, said in (public | {"rsa": "P-256, P-384 or P-521"}).items():
        with pytest.raises(InvalidKey, match=rf"{name}.*{said}"):
            read_public_keys(tmp_path / name)
    write_private(tmp_path / "locked", KEY, b"secret")
    write_private(tmp_path / "large", large)
    private = {"text": "private key", "none": "No such file", "locked": "without a password", "large": "P-256"}
    for name, said in private.items():
        with pytest.raises(InvalidKey, match=rf"{name}.*{said}"):
            read_private_key(tmp_path / name)
