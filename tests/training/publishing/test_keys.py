"""`faussaire keys` as a person at a terminal meets it."""

import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from latent.keys import KeyFile, digest_of
from training.cli import app
from training.errors import TrainingError
from training.publishing.keys import add_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def run(path: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["keys", *words, "--file", str(path)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_key_is_shown_once_and_kept_as_a_digest(path: Path) -> None:
    secret = run(
        path, "add", "alice", "--expires", "2100-01-31", "--rate", "200", "--burst", "9", "--quota", "99"
    ).strip()
    assert re.fullmatch(r"fsk_[\w-]{43}", secret)
    assert secret not in path.read_text()
    key = KeyFile.read(path).keys["alice"]
    assert key.digest == digest_of(secret)
    assert key.expires is not None
    assert (key.expires.isoformat(), key.rate, key.burst, key.quota) == ("2100-01-31T00:00:00+00:00", 200, 9, 99)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_keeps_its_mode(path: Path) -> None:
    run(path, "add", "alice")
    path.chmod(0o640)
    run(path, "add", "bob")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_keys_are_listed_without_secrets(path: Path) -> None:
    secret = run(path, "add", "alice", "--quota", "100000").strip()
    listed = run(path, "list")
    assert "alice" in listed
    assert "100,000" in listed
    assert secret not in listed


def test_a_revoked_key_is_gone(path: Path) -> None:
    run(path, "add", "alice")
    run(path, "add", "bob")
    run(path, "revoke", "alice")
    assert list(KeyFile.read(path).keys) == ["bob"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "alice"], "'alice' has a key; revoke it first"),
        (["add", "al ice"], "'al ice': a name has 1 to 64 letters"),
        (["add", "bob", "--burst", "5"], "a burst needs a rate"),
        (["add", "bob", "--rate", "0"], "rate: Input should be greater than 0"),
        (["add", "bob", "--expires", "2020-01-01"], "--expires is in the past"),
        (["revoke", "bob"], "'bob' has no key; these have: alice"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(path: Path, words: list[str], told: str) -> None:
    run(path, "add", "alice")
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=re.escape(told)):
        run(path, *words)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["", "[]", '{"keys": {"alice": {"digest": "x"}}}', '{"model": 1}'])
def test_another_file_is_left_as_it_is(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(TrainingError, match=r"keys\.json"):
        run(path, "add", "bob")
    assert path.read_text() == content


def test_without_a_file_there_is_nothing_to_list(path: Path) -> None:
    command = [sys.executable, "-m", "training.cli", "keys", "list", "--file", str(path)]
    program = [sys.executable, "-c", "from training.cli import main; main()", *command[3:]]
    done = subprocess.run(program, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "keys.json: No such file" in done.stderr


def test_two_who_add_at_once_lose_no_key(path: Path) -> None:
    def add(name: str) -> str:
        while True:
            try:
                add_key(path, name)
            except TrainingError as error:
                assert "is being changed by" in str(error)  # noqa: PT017
            else:
                return name

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(add, [f"key-{number}" for number in range(20)]))
    assert sorted(KeyFile.read(path).keys) == sorted(added)
