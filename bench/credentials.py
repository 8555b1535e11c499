"""What a manifest of C2PA costs a PNG: `python -m bench.credentials`, with c2pa-python installed beside this package.

It makes a certificate by openssl, signs images of the service's sizes, and prints the CPU time and the bytes of each.
"""

import io
import json
import subprocess
import tempfile
import time
from pathlib import Path

import c2pa
import numpy as np

from latent.png import encode_png

ROUNDS = 200

MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MANIFEST = {
    "claim_generator_info": [{"name": "faussaire"}],
    "format": "image/png",
    "assertions": [
        {"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": MADE}]}}
    ],
}
SETTINGS = {"version": 1, "builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
"""A thumbnail would be larger than the image."""

EXTENSIONS = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain, key = write_certificate(Path(folder))
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None))
    context = c2pa.Context(c2pa.Settings.from_json(json.dumps(SETTINGS)))
    for side in (28, 8 * 28):
        png = encode_png(np.random.default_rng(0).integers(0, 255, (side, side, 1)).astype(np.uint8))
        signed = sign(png, signer, context)
        state = json.loads(c2pa.Reader("image/png", io.BytesIO(signed)).json())["validation_state"]
        started = time.process_time()
        for _ in range(ROUNDS):
            sign(png, signer, context)
        spent = (time.process_time() - started) / ROUNDS * 1e3
        print(f"{side} x {side}: {spent:.2f} ms of CPU, {len(signed) - len(png):,} bytes more; {state}")


def sign(png: bytes, signer: c2pa.Signer, context: c2pa.Context) -> bytes:
    made = io.BytesIO()
    with c2pa.Builder(json.dumps(MANIFEST), context=context) as builder:
        builder.sign(signer, "image/png", io.BytesIO(png), made)
    return made.getvalue()


def write_certificate(folder: Path) -> tuple[bytes, bytes]:
    """A chain of a certificate and its authority, and the certificate's key, in PEM."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/O=Test/CN=Root", "-days", "9")
    openssl("req", *curve, "-keyout", "own.key", "-out", "own.csr", "-subj", "/O=Test/CN=Signer")
    (folder / "extensions").write_text(EXTENSIONS)
    issue = ("-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9")
    openssl("x509", "-req", *issue, "-extfile", "extensions", "-out", "own.pem")
    return (folder / "own.pem").read_bytes() + (folder / "ca.pem").read_bytes(), (folder / "own.key").read_bytes()


if __name__ == "__main__":
    main()
