"""Keys of a real server with two workers, given and taken by the real command while it runs."""

import time
from collections import Counter
from pathlib import Path

import httpx

from faussaire import Client
from tests.end_to_end.conftest import faussaire, serving


def test_a_key_is_given_used_and_taken_while_the_service_runs(models_dir: Path, tmp_path: Path) -> None:
    file = ("--file", str(tmp_path / "keys.json"))
    faussaire(tmp_path, "keys", "add", "first", *file)
    settings = {"FAUSSAIRE_DEFAULT_MODEL": "small", "FAUSSAIRE_WORKERS": "2", "FAUSSAIRE_WATCH_SECONDS": "0.1"}
    with serving(models_dir, tmp_path, FAUSSAIRE_KEYS_FILE=file[1], **settings) as server:
        url = str(server.base_url)
        assert server.get("/v1/models").status_code == 401
        key = faussaire(tmp_path, "keys", "add", "alice", "--rate", "0.001", "--burst", "30", *file).strip()
        _wait_for(url, key, 200)
        with Client(url, key=key) as client:
            assert client.images(10, seed=1).shape == (10, 28, 28, 1)
        statuses = Counter(_asked(url, key) for _ in range(30))  # on connections of their own, of either worker
        assert statuses == {200: 20, 429: 10}
        key = faussaire(tmp_path, "keys", "add", "bob", *file).strip()
        _wait_for(url, key, 200)
        faussaire(tmp_path, "dataset", "--from", url, "--key", key, "-o", "drawn", "--items", "50")
        faussaire(tmp_path, "keys", "revoke", "bob", *file)
        _wait_for(url, key, 401)
        scraped = server.get("/metrics").text
    assert 'faussaire_key_images_total{key="bob"}' in scraped
    assert key not in (tmp_path / "serve.log").read_text()


def _asked(url: str, key: str) -> int:
    answer = httpx.post(f"{url}/v1/images", json={}, headers={"Authorization": f"Bearer {key}"}, timeout=60)
    return answer.status_code


def _wait_for(url: str, key: str, status: int) -> None:
    """Until both workers have looked at the file: they give the same answer twenty times in a row."""
    until, same = time.monotonic() + 60, 0
    while same < 20:
        answer = httpx.get(f"{url}/v1/models", headers={"Authorization": f"Bearer {key}"}, timeout=60)
        same = same + 1 if answer.status_code == status else 0
        assert time.monotonic() < until
