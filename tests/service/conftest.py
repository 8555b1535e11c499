"""A folder of generators whose files a test may change."""

from pathlib import Path

import pytest

from service.registry import Registry
from service.runtime import Runtime
from tests.conftest import small_card, write_recogniser, write_small, write_version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`plain` without codes, and the first version of `small` with its recogniser."""
    write_small(tmp_path, "plain", coded=False)
    write_recogniser(write_version(tmp_path, 0), small_card())
    return tmp_path


async def looked_twice(registry: Registry) -> None:
    await registry.refresh()
    await registry.refresh()


def digests(registry: Registry) -> dict[str, str]:
    return {name: served.runtime.digest for name, served in registry.now.models.items()}


def digest_of(path: Path) -> str:
    return Runtime(path, threads=1).digest
