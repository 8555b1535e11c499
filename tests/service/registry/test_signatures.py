"""Which models are served where signatures are asked for."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import REGISTRY

from latent.card import digest_of, recogniser_path, signature_path
from latent.signature import sign
from service.errors import InvalidModel, InvalidSetting
from service.registry.folder import Marks, open_file
from service.registry.registry import Registry
from service.registry.trial import trying
from service.settings import Settings
from tests.conftest import small_card, write_keys, write_recogniser, write_small, write_version
from tests.service.conftest import digests, looked_twice

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def write_signature(path: Path, key: ec.EllipticCurvePrivateKey = KEY) -> None:
    signature_path(path).write_text(sign(path.name, digest_of(path), key))


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    return write_keys(tmp_path, KEY)[1]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The first version of `small` and its recogniser, both signed."""
    folder = tmp_path / "models"
    folder.mkdir()
    generator = write_version(folder, 0)
    write_recogniser(generator, small_card())
    for path in (generator, recogniser_path(generator)):
        write_signature(path)
    return folder


@pytest.fixture
def settings(models: Path, trusted: Path) -> Settings:
    return Settings(models_dir=models, trusted_keys=trusted)


def counted() -> tuple[float | None, ...]:
    """How many files are not signed, and how many are refused."""
    return tuple(REGISTRY.get_sample_value(f"faussaire_files_{what}") for what in ("unsigned", "refused"))


async def opened(settings: Settings) -> dict[str, str]:
    async with Registry(settings) as registry:
        return digests(registry)


def test_what_a_trusted_key_has_signed_is_served(settings: Settings, models: Path) -> None:
    assert asyncio.run(opened(settings)) == {"small": digest_of(models / "small.onnx")}
    assert counted() == (0, 0)


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def remove_signature(path: Path) -> None:
    signature_path(path).unlink()


def sign_by_another(path: Path) -> None:
    write_signature(path, OTHER)


def break_signature(path: Path) -> None:
    signature_path(path).write_text("{}")


def take_anothers(path: Path) -> None:
    """The signature of a trusted key, but of another file."""
    signature_path(path).write_text(sign(path.name, "0" * 64, KEY))


Spoil = Callable[[Path], None]


def never_end(path: Path) -> None:
    """Whoever opens the signature waits for ever."""
    signature_path(path).unlink()
    os.mkfifo(signature_path(path))


FAULTS: dict[Spoil, str] = {
    alter: "is the signature of another file",
    take_anothers: "is the signature of another file",
    remove_signature: "has no signature",
    sign_by_another: "none of the trusted keys",
    break_signature: "is no signature",
}


@pytest.mark.parametrize("of_recogniser", [False, True])
@pytest.mark.parametrize("spoil", FAULTS)
def test_what_is_not_signed_is_never_opened_at_a_start(
    settings: Settings, models: Path, spoil: Spoil, of_recogniser: bool
) -> None:
    path = models / "small.onnx"
    spoil(recogniser_path(path) if of_recogniser else path)
    tried: list[Path] = []

    def try_files(paths: Sequence[Path]) -> dict[Path, str]:
        tried.extend(paths)
        return {}

    async def start() -> None:
        async with Registry(settings, try_files):
            pass

    with pytest.raises(InvalidModel, match=rf"{FAULTS[spoil]}.*FAUSSAIRE_TRUSTED_KEYS"):
        asyncio.run(start())
    assert tried == []


@pytest.mark.parametrize("spoil", FAULTS)
def test_at_a_reload_the_version_before_goes_on_until_the_new_one_is_signed(
    settings: Settings, models: Path, spoil: Spoil, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with Registry(settings) as registry:
            before = digests(registry)
            path = write_version(models, 1)
            recogniser_path(path).unlink()
            write_signature(path)
            spoil(path)
            with caplog.at_level(logging.WARNING):
                for _ in range(3):
                    await looked_twice(registry)
            assert digests(registry) == before
            assert len(caplog.records) == 1
            assert FAULTS[spoil] in caplog.text
            assert counted() == (1, 1)
            write_signature(path)  # beside a file that stays as it is
            if spoil is not alter:
                await looked_twice(registry)
                assert digests(registry) == {"small": digest_of(path)}
                assert counted() == (0, 0)

    asyncio.run(run())


def test_what_is_loaded_is_what_was_signed(settings: Settings, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes between the check and the loading is refused."""
    path = models / "small.onnx"

    def open_another(_: Path, marks: Marks, *more: Any) -> object:
        write_version(models, 1)
        return open_file(path, marks._replace(recogniser=None), *more)

    monkeypatch.setattr("service.registry.folder.open_file", open_another)
    with pytest.raises(InvalidModel, match="is the signature of another file"):
        asyncio.run(opened(settings))


def test_one_file_without_a_signature_stops_no_other(settings: Settings, models: Path) -> None:
    write_small(models, "plain", coded=False)

    async def run() -> None:
        async with Registry(settings, trying(2**28)) as registry:
            assert set(digests(registry)) == {"small"}
            assert counted() == (1, 1)

    asyncio.run(run())


def test_without_the_setting_nothing_is_asked_for(models: Path) -> None:
    remove_signature(models / "small.onnx")
    assert asyncio.run(opened(Settings(models_dir=models))) == {"small": digest_of(models / "small.onnx")}


def test_what_is_no_key_is_named(models: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"FAUSSAIRE_TRUSTED_KEYS: .*LICENSE must be a public key"):
        asyncio.run(opened(Settings(models_dir=models, trusted_keys=Path("LICENSE"))))
    with pytest.raises(InvalidSetting, match=r"FAUSSAIRE_TRUSTED_KEYS: .*none: No such file"):
        asyncio.run(opened(Settings(models_dir=models, trusted_keys=tmp_path / "none")))


def test_a_signature_that_never_ends_is_not_waited_for(settings: Settings, models: Path) -> None:
    never_end(models / "small.onnx")
    with pytest.raises(InvalidModel, match=r"small.onnx.sig is no regular file"):
        asyncio.run(opened(settings))
