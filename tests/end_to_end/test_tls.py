"""A real server of HTTPS, and the client that we ship."""

from pathlib import Path

import httpx
import pytest

from faussaire import Client
from tests.conftest import Secret
from tests.end_to_end.conftest import serving


def test_a_client_that_trusts_the_certificate_draws_over_https(
    own_models: Path, tmp_path: Path, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"FAUSSAIRE_TLS_CERTIFICATE": str(secret.certificate), "FAUSSAIRE_TLS_KEY": str(secret.key)}
    settings = files | {"FAUSSAIRE_WORKERS": "2", "FAUSSAIRE_DEFAULT_MODEL": "small"}
    with serving(own_models, tmp_path, **settings) as trusting:
        url = str(trusting.base_url)
        assert url.startswith("https://")
        expected = trusting.get("/v1/image?class=7&seed=1").content
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url)
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http", 1))
        monkeypatch.setenv("SSL_CERT_FILE", str(secret.certificate))
        with Client(url) as client:
            assert client.image(class_="7", seed=1).png == expected
    log = (tmp_path / "serve.log").read_text()
    assert f"Listening on {url.rstrip('/')} (Press CTRL+C to quit)" in log
    assert "http://" not in log
    assert "Traceback" not in log
