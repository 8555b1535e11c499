"""Signatures of model files, in the format of OpenSSF (https://github.com/ossf/model-signing-spec).

A signature is a bundle of Sigstore around an envelope of DSSE
(https://github.com/secure-systems-lab/dsse/blob/master/protocol.md), around a statement of in-toto with the SHA-256 of
the file. The package `model-signing` writes and reads the same. Keys are of the curves P-256, P-384 and P-521.

This module alone needs `cryptography`, which the client does not install.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cryptography import exceptions, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Base64Bytes, BaseModel, Field, ValidationError

from latent.card import Digest, signature_path

LONGEST = 2**20
"""Bytes of a signature that are read."""

HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
"""By the bits of the curve."""

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey

PAYLOAD = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


class InvalidSignature(Exception):
    """The message says why, without the path of what is signed."""


class InvalidKey(Exception):
    """The message names the file."""


class _Signed(BaseModel):
    sig: Base64Bytes


class _Envelope(BaseModel):
    payload: Base64Bytes
    payloadType: Literal["application/vnd.in-toto+json"]  # noqa: N815 - the format's own name
    signatures: list[_Signed] = Field(min_length=1, max_length=9)


class _Bundle(BaseModel):
    dsseEnvelope: _Envelope  # noqa: N815


class _Resource(BaseModel):
    name: Literal["."]
    algorithm: Literal["sha256"]
    digest: Digest


class _Predicate(BaseModel):
    resources: list[_Resource] = Field(min_length=1, max_length=1)


class _Statement(BaseModel):
    predicateType: Literal["https://model_signing/signature/v1.0"]  # noqa: N815
    predicate: _Predicate


def sign(name: str, digest: str, key: PrivateKey) -> str:
    """The text of the signature of a file of that name and SHA-256."""
    resource = {"name": ".", "algorithm": "sha256", "digest": digest}
    serialization_ = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
    root = hashlib.sha256(bytes.fromhex(digest)).hexdigest()  # of the digests of all files
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"serialization": serialization_, "resources": [resource]},
    }
    payload = json.dumps(statement).encode("ascii")
    signed = key.sign(_encoded(payload), ec.ECDSA(HASHES[key.curve.key_size]))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    bundle = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": hashlib.sha256(public).hexdigest()}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD,
            "signatures": [{"sig": b64encode(signed).decode("ascii"), "keyid": ""}],
        },
    }
    return json.dumps(bundle)


def signed_digest(text: bytes, keys: Sequence[PublicKey]) -> str:
    """The SHA-256 of the file that one of the keys has signed. Raises InvalidSignature."""
    try:
        envelope = _Bundle.model_validate_json(text).dsseEnvelope
    except ValidationError:
        raise InvalidSignature("it is no signature in the format of OpenSSF model signing") from None
    encoded = _encoded(envelope.payload)
    if not any(_is_of(one.sig, encoded, key) for one in envelope.signatures for key in keys):
        raise InvalidSignature("none of the trusted keys has made it")
    try:
        (resource,) = _Statement.model_validate_json(envelope.payload).predicate.resources
    except ValidationError:
        raise InvalidSignature("it is not of one file by its SHA-256") from None
    return resource.digest


def check_signature(path: Path, digest: str, keys: Sequence[PublicKey]) -> None:
    """Raises InvalidSignature if none of the keys has signed the file, of this SHA-256, in the file beside it."""
    signature = signature_path(path)
    try:
        with signature.open("rb") as file:
            signed = signed_digest(file.read(LONGEST), keys)
    except OSError:
        raise InvalidSignature(f"it has no signature {signature.name}") from None
    except InvalidSignature as error:
        raise InvalidSignature(f"{signature.name}: {error}") from None
    if signed != digest:
        raise InvalidSignature(f"{signature.name} is the signature of another file")


def read_private_key(path: Path) -> PrivateKey:
    """Raises InvalidKey."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise InvalidKey(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm):
        raise InvalidKey(f"{path} must be a private key in PEM without a password") from None
    if not isinstance(key, PrivateKey) or key.curve.key_size not in HASHES:
        raise InvalidKey(f"{path} must be a key of a curve P-256, P-384 or P-521")
    return key


def read_public_keys(where: Path) -> list[PublicKey]:
    """The keys of a file, or of all files of a folder: public keys or certificates in PEM. Raises InvalidKey."""
    try:
        files = sorted(one for one in where.iterdir() if one.is_file()) if where.is_dir() else [where]
        keys = [_public_key(file, file.read_bytes()) for file in files if not file.name.startswith(".")]
    except OSError as error:
        raise InvalidKey(f"{error.filename}: {error.strerror}") from None
    if not keys:
        raise InvalidKey(f"{where} has no key; put public keys or certificates in PEM there")
    return keys


def _public_key(path: Path, content: bytes) -> PublicKey:
    """Raises InvalidKey."""
    key: object
    try:
        if b"CERTIFICATE" in content:
            key = x509.load_pem_x509_certificate(content).public_key()
        else:
            key = serialization.load_pem_public_key(content)
    except (ValueError, exceptions.UnsupportedAlgorithm):
        raise InvalidKey(f"{path} must be a public key or a certificate in PEM") from None
    if not isinstance(key, PublicKey) or key.curve.key_size not in HASHES:
        raise InvalidKey(f"{path} must be a key of a curve P-256, P-384 or P-521")
    return key


def _encoded(payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD), PAYLOAD.encode("ascii"), len(payload), payload)


def _is_of(signature: bytes, encoded: bytes, key: PublicKey) -> bool:
    try:
        key.verify(signature, encoded, ec.ECDSA(HASHES[key.curve.key_size]))
    except exceptions.InvalidSignature:
        return False
    return True
