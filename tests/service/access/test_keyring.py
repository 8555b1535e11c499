"""The keys of a file that changes while the service runs."""

import logging
from pathlib import Path

import pytest

from latent.keys import Key, KeyFile, digest_of
from service.access.keyring import Keyring
from service.errors import InvalidSetting, RateExceeded


def write(path: Path, **limits: dict[str, float]) -> None:
    """Keys by name, whose secrets are their names, in a file that takes the place of the one before."""
    keys = {name: Key.model_validate({"digest": digest_of(name)} | more) for name, more in limits.items()}
    beside = path.with_suffix(".new")
    beside.write_text(KeyFile(keys=keys).text())
    beside.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "keys.json", alice={}, bob={"rate": 1, "burst": 5})
    return tmp_path / "keys.json"


def test_a_key_is_found_by_its_secret_alone(path: Path) -> None:
    keyring = Keyring(path)
    found = keyring.find("alice")
    assert found is not None
    assert found.name == "alice"
    assert [keyring.find(secret) for secret in ("", "Alice", digest_of("alice"), "carol", "\udcff")] == [None] * 5


def test_keys_come_and_go_without_a_start(path: Path) -> None:
    keyring = Keyring(path)
    write(path, bob={"rate": 1, "burst": 5}, carol={})
    keyring.refresh()
    assert keyring.find("alice") is None
    assert keyring.find("carol") is not None


def test_a_key_that_stays_keeps_what_it_has_spent(path: Path) -> None:
    keyring = Keyring(path)
    bob = keyring.find("bob")
    assert bob is not None
    bob.spend(5)
    write(path, bob={"rate": 1, "burst": 5}, carol={})
    keyring.refresh()
    bob = keyring.find("bob")
    assert bob is not None
    with pytest.raises(RateExceeded):
        bob.spend(5)


@pytest.mark.parametrize("broken", ["", "{", '{"keys": {"al ice": {"digest": "0"}}}', None])
def test_a_file_that_breaks_keeps_the_keys_and_is_said_once(
    path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    keyring = Keyring(path)
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    with caplog.at_level(logging.ERROR):
        keyring.refresh()
        keyring.refresh()
    assert keyring.find("alice") is not None
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]
    write(path, carol={})
    keyring.refresh()
    assert keyring.find("alice") is None


def test_without_a_file_the_service_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"FAUSSAIRE_KEYS_FILE: .*absent.json: No such file"):
        Keyring(tmp_path / "absent.json")


def test_two_names_of_one_secret_are_refused() -> None:
    same = {name: Key(digest=digest_of("one")).model_dump(mode="json", exclude_none=True) for name in ("alice", "bob")}
    with pytest.raises(ValueError, match="two keys have the same digest"):
        KeyFile.model_validate({"keys": same})
