"""Several files of one name, and the release file that says which of them the name means, as both change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from latent import Release
from latent.release import release_path
from service.registry.registry import Registry
from tests.conftest import digest_of, small_card, write_named_version, write_recogniser, write_release, write_version
from tests.service.conftest import digests, looked_twice
from tests.service.registry.test_registry import warnings, with_registry

__all__ = ["warnings"]  # a fixture


def roles(registry: Registry) -> dict[str, str]:
    """Of `small`, by digest."""
    versions = registry.now.models["small"]
    return {digest: versions.role(served) for digest, served in versions.by_digest.items()}


def test_a_name_means_what_its_release_says_and_every_version_of_it_is_served(folder: Path) -> None:
    paths = [folder / "small.onnx", write_named_version(folder, 1), write_named_version(folder, 2)]
    first, second, third = map(digest_of, paths)
    write_release(folder, paths[1], paths[2], 0.25)

    async def scenario(registry: Registry) -> None:
        assert roles(registry) == {first: "other", second: "stable", third: "canary"}
        assert registry.now.find("small").version.digest == second
        assert registry.now.find(f"small@{first[:12]}").version.digest == first
        assert registry.now.find(f"small@{third}").version.digest == third
        assert set(registry.now.models) == {"plain", "small"}

    with_registry(folder, scenario)


def test_a_release_that_changes_is_followed_and_what_it_names_goes_on_as_it_is(folder: Path) -> None:
    other = write_named_version(folder, 1)
    write_release(folder, folder / "small.onnx")

    async def scenario(registry: Registry) -> None:
        before = registry.now.models["small"].by_digest
        write_release(folder, other)
        await looked_twice(registry)
        after = registry.now.models["small"].by_digest
        assert digests(registry)["small"] == digest_of(other)
        assert all(before[digest] is after[digest] for digest in before)
        write_release(folder, folder / "small.onnx")  # back
        await looked_twice(registry)
        assert registry.now.find("small") is before[digest_of(folder / "small.onnx")]

    with_registry(folder, scenario)


def test_a_version_is_served_with_the_recogniser_beside_its_own_file(folder: Path) -> None:
    other = write_named_version(folder, 1)
    write_recogniser(other, small_card())
    write_release(folder, folder / "small.onnx", other)

    async def scenario(registry: Registry) -> None:
        for path in (folder / "small.onnx", other):
            recogniser = registry.now.find(f"small@{digest_of(path)}").recogniser
            assert recogniser is not None
            assert recogniser.card.generator == digest_of(path)

    with_registry(folder, scenario)


def test_a_release_comes_before_its_file_and_is_followed_once_the_file_is_there(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, warnings: Callable[[], list[str]]
) -> None:
    aside = write_named_version(tmp_path_factory.mktemp("aside"), 1)
    write_release(folder, folder / "small.onnx")

    async def scenario(registry: Registry) -> None:
        before = registry.now.find("small")
        write_release(folder, aside)
        await looked_twice(registry)
        assert registry.now.find("small") is before
        (said,) = warnings()
        assert said.startswith(f"{folder / 'small.release.json'}: the stable version is ")
        shutil.copy(aside, folder / ".beside")
        (folder / ".beside").rename(folder / aside.name)
        await looked_twice(registry)
        assert digests(registry)["small"] == digest_of(aside)

    with_registry(folder, scenario)


def test_a_stable_file_that_is_taken_away_or_replaced_is_served_on_until_the_release_is_put_right(
    folder: Path, warnings: Callable[[], list[str]]
) -> None:
    other = write_named_version(folder, 1)
    write_release(folder, folder / "small.onnx", other, 0.5)

    async def scenario(registry: Registry) -> None:
        before = dict(registry.now.models)
        (folder / "small.recogniser.onnx").unlink()
        for breaks in (lambda: write_version(folder, 3), (folder / "small.onnx").unlink):
            breaks()
            await looked_twice(registry)
            assert registry.now.models == before
            (said,) = warnings()
            assert (
                "no file of the name 'small' has this digest; bring the file back, or run 'faussaire rollback'" in said
            )
        write_release(folder, other)
        await looked_twice(registry)
        assert roles(registry) == {digest_of(other): "stable"}
        assert warnings() == []

    with_registry(folder, scenario)


def test_without_its_release_file_a_name_of_two_files_stays_as_it_is(
    folder: Path, warnings: Callable[[], list[str]]
) -> None:
    other = write_named_version(folder, 1)
    write_release(folder, other)

    async def scenario(registry: Registry) -> None:
        before = registry.now.models
        release_path(folder, "small").unlink()
        await looked_twice(registry)
        assert registry.now.models == before
        assert "both have the name 'small'" in warnings()[0]
        (folder / "small.recogniser.onnx").unlink()
        (folder / "small.onnx").unlink()
        await looked_twice(registry)
        assert roles(registry) == {digest_of(other): "stable"}

    with_registry(folder, scenario)


def test_one_name_that_is_unclear_holds_up_no_other(folder: Path, warnings: Callable[[], list[str]]) -> None:
    async def scenario(registry: Registry) -> None:
        shutil.copy(folder / "plain.onnx", folder / "twin.onnx")
        (folder / "small.recogniser.onnx").unlink()
        path = write_version(folder, 2)
        await looked_twice(registry)
        assert len(warnings()) == 1
        assert digests(registry)["small"] == digest_of(path)

    with_registry(folder, scenario)


def test_what_begins_with_a_dot_is_still_being_written(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        shutil.copy(folder / "plain.onnx", folder / ".plain@0123.onnx")
        now = registry.now
        await looked_twice(registry)
        assert registry.now is now

    with_registry(folder, scenario)


def nameless(folder: Path) -> None:
    release_path(folder, "other").write_text(Release(stable="0" * 64).text(), encoding="utf-8")


def junk(folder: Path) -> None:
    release_path(folder, "small").write_text("{", encoding="utf-8")


def missing(folder: Path) -> None:
    release_path(folder, "small").write_text(Release(stable="0" * 64).text(), encoding="utf-8")


def canaryless(folder: Path) -> None:
    release = Release(stable=digest_of(folder / "small.onnx"), canary="1" * 64, weight=0.5)
    release_path(folder, "small").write_text(release.text(), encoding="utf-8")


REFUSED = [
    (
        canaryless,
        "small.release.json: the canary version is 111111111111, but no file of the name 'small' has this digest",
    ),
    (
        nameless,
        "other.release.json: the stable version is 000000000000, but no file of the name 'other' has this digest",
    ),
    (junk, "small.release.json: Invalid JSON"),
    (
        missing,
        "small.release.json: the stable version is 000000000000, but no file of the name 'small' has this digest",
    ),
]


@pytest.mark.parametrize(("breaks", "reason"), REFUSED, ids=[breaks.__name__ for breaks, _ in REFUSED])
def test_a_release_that_cannot_be_followed_is_said_once_and_stops_no_start(
    folder: Path, warnings: Callable[[], list[str]], breaks: Callable[[Path], None], reason: str
) -> None:
    async def scenario(registry: Registry) -> None:
        before = registry.now.models
        breaks(folder)
        for _ in range(4):
            await registry.refresh()
        assert registry.now.models == before
        (said,) = warnings()
        assert said.startswith(str(folder / reason))

    async def start_again(registry: Registry) -> None:
        assert "plain" in registry.now.models
        (said,) = warnings()
        assert said.startswith(str(folder / reason))

    with_registry(folder, scenario)
    with_registry(folder, start_again, default="plain")
