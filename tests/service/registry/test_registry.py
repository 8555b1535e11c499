import asyncio
import gc
import logging
import os
import shutil
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from latent import Codes
from latent.noise import draw_classes, draw_noise, draw_styles
from service.errors import InvalidModel, InvalidSetting, UnknownModel
from service.inference.generator import Generator
from service.registry.registry import Registry
from service.settings import Settings
from tests.conftest import digest_of, small_card, write_recogniser, write_small, write_version
from tests.service.conftest import digests, looked_twice


def registry_of(folder: Path, default: str = "small") -> Registry:
    return Registry(Settings(models_dir=folder, default_model=default, watch_seconds=0))


def with_registry(folder: Path, scenario: Callable[[Registry], Awaitable[None]], default: str = "small") -> None:
    async def run() -> None:
        async with asyncio.timeout(60), registry_of(folder, default) as registry:  # what is lost would be waited for
            await scenario(registry)

    asyncio.run(run())


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What was logged as wrong since it was last asked."""
    monkeypatch.setattr(logging.getLogger("bentoml"), "propagate", True)

    def said() -> list[str]:
        lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        caplog.clear()
        return lines

    return said


def test_all_generators_of_a_folder_are_opened_by_name(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        assert set(registry.now.models) == {"small", "plain"}
        assert registry.now.default == "small"
        assert registry.now.find("small").recogniser is not None
        assert registry.now.find("plain").recogniser is None

    with_registry(folder, scenario)


def test_a_folder_without_generators_is_refused_at_the_start_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="FAUSSAIRE_MODELS_DIR"):
        asyncio.run(registry_of(tmp_path).__aenter__())


def test_two_files_of_one_name_are_refused_at_the_start(tmp_path: Path, models_dir: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        shutil.copy(models_dir / "small.onnx", tmp_path / name)
    with pytest.raises(InvalidModel, match=r"a\.onnx and b\.onnx both have the name 'small'.*small\.release\.json"):
        asyncio.run(registry_of(tmp_path).__aenter__())


def test_a_file_that_changes_new_ones_and_those_that_go_are_followed(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        (folder / "small.recogniser.onnx").unlink()
        write_version(folder, 1)
        write_version(folder, 0, "new")
        (folder / "plain.onnx").unlink()
        await looked_twice(registry)
        assert digests(registry) == {name: digest_of(folder / f"{name}.onnx") for name in ("new", "small")}

    with_registry(folder, scenario)


def test_what_did_not_change_goes_on_as_it_is(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        plain = registry.now.find("plain")
        write_small(folder, "new")
        await looked_twice(registry)
        assert registry.now.find("plain") is plain
        now = registry.now
        await looked_twice(registry)
        assert registry.now is now

    with_registry(folder, scenario)


def test_a_file_that_is_still_being_written_is_not_taken(folder: Path, warnings: Callable[[], list[str]]) -> None:
    async def scenario(registry: Registry) -> None:
        content = (folder / "small.onnx").read_bytes()
        path = folder / "slow.onnx"
        write_version(folder, 1, "other")  # one that is slow does not hold up the others
        for end in range(100, len(content), len(content) // 5):
            path.write_bytes(content[:end])
            assert await registry.refresh()  # it asks to be called again soon
        assert set(registry.now.models) == {"small", "plain", "other"}
        assert warnings() == []
        write_small(folder, "slow")
        await looked_twice(registry)
        assert "slow" in registry.now.models
        assert not await registry.refresh()

    with_registry(folder, scenario)


def junk(folder: Path) -> None:
    (folder / "small.onnx").write_bytes(b"junk")


def cut(folder: Path) -> None:
    (folder / "small.onnx").write_bytes((folder / "small.onnx").read_bytes()[:-10])


def bare(folder: Path) -> None:
    model = onnx.load(folder / "small.onnx")
    del model.metadata_props[:]
    onnx.save(model, folder / "small.onnx")


def doubled(folder: Path) -> None:
    shutil.copy(folder / "plain.onnx", folder / "small.onnx")


def mismatched(folder: Path) -> None:
    write_version(folder, 1)


def of_one_row(folder: Path) -> None:
    model = onnx.load(folder / "small.onnx")
    for node in model.graph.input:
        node.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, folder / "small.onnx")
    (folder / "small.recogniser.onnx").unlink()


def unreadable(folder: Path) -> None:
    (folder / "small.onnx").unlink()
    (folder / "small.onnx").mkdir()


REFUSED: list[tuple[Callable[[Path], None], str]] = [
    (junk, "small.onnx is not an ONNX file"),
    (cut, "small.onnx"),
    (bare, "small.onnx: "),
    (doubled, "small.recogniser.onnx: it belongs to the generator"),
    (mismatched, "small.recogniser.onnx: it belongs to the generator"),
    (of_one_row, "small.onnx: the generator cannot draw 16 images"),
    (unreadable, "small.onnx is no regular file"),
]


@pytest.mark.parametrize(("breaks", "reason"), REFUSED, ids=[breaks.__name__ for breaks, _ in REFUSED])
def test_a_file_that_is_refused_is_named_once_and_the_old_one_is_served(
    folder: Path, warnings: Callable[[], list[str]], breaks: Callable[[Path], None], reason: str
) -> None:
    async def scenario(registry: Registry) -> None:
        before = registry.now.find("small")
        breaks(folder)
        for _ in range(4):
            await registry.refresh()
        assert registry.now.find("small") is before
        (said,) = warnings()
        assert str(folder / reason) in said
        assert "\n" not in said
        (folder / "small.recogniser.onnx").unlink(missing_ok=True)
        if breaks is unreadable:
            (folder / "small.onnx").rmdir()
        write_version(folder, 2)
        await looked_twice(registry)
        assert registry.now.find("small").version.digest == digest_of(folder / "small.onnx")
        assert warnings() == []

    with_registry(folder, scenario)


@pytest.mark.parametrize(("breaks", "reason"), REFUSED, ids=[breaks.__name__ for breaks, _ in REFUSED])
def test_a_bad_file_beside_a_good_one_stops_no_start(
    folder: Path, warnings: Callable[[], list[str]], breaks: Callable[[Path], None], reason: str
) -> None:
    async def scenario(registry: Registry) -> None:
        assert set(registry.now.models) == {"plain"}
        (said,) = warnings()
        assert str(folder / reason) in said
        assert said.endswith("; the service starts without it")

    breaks(folder)
    with_registry(folder, scenario, default="plain")


def test_a_default_model_that_cannot_be_served_is_named(folder: Path) -> None:
    junk(folder)
    with pytest.raises(InvalidSetting, match=r"FAUSSAIRE_DEFAULT_MODEL: no model has the name 'small'.*plain"):
        asyncio.run(registry_of(folder).__aenter__())


def test_of_two_files_with_one_name_the_one_that_is_served_goes_on_until_it_is_gone(
    folder: Path, warnings: Callable[[], list[str]]
) -> None:
    async def scenario(registry: Registry) -> None:
        before = registry.now.find("plain")
        shutil.copy(folder / "plain.onnx", folder / "another.onnx")
        await looked_twice(registry)
        assert registry.now.find("plain") is before
        (said,) = warnings()
        assert said.startswith(f"{folder / 'another.onnx'} and plain.onnx both have the name 'plain' in their cards")
        (folder / "plain.onnx").unlink()
        await looked_twice(registry)
        assert registry.now.find("plain").generator.path == folder / "another.onnx"

    with_registry(folder, scenario)


def test_two_files_may_change_their_names_with_each_other(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        before = digests(registry)
        (folder / "small.recogniser.onnx").unlink()
        (folder / "small.onnx").rename(folder / "aside")
        (folder / "plain.onnx").rename(folder / "small.onnx")
        (folder / "aside").rename(folder / "plain.onnx")
        await looked_twice(registry)
        assert digests(registry) == before
        assert registry.now.find("small").generator.path == folder / "plain.onnx"

    with_registry(folder, scenario)


def test_a_recogniser_comes_changes_and_goes_with_its_generator(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        first = registry.now.find("small").recogniser
        write_recogniser(write_version(folder, 1), small_card())
        await looked_twice(registry)
        second = registry.now.find("small").recogniser
        assert second is not None
        assert second is not first
        assert second.card.generator == digest_of(folder / "small.onnx")
        (folder / "small.recogniser.onnx").unlink()
        await looked_twice(registry)
        assert registry.now.find("small").recogniser is None
        write_recogniser(folder / "small.onnx", small_card())
        await looked_twice(registry)
        assert registry.now.find("small").recogniser is not None

    with_registry(folder, scenario)


def test_a_generator_is_taken_once_its_recogniser_has_followed(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        before = digests(registry)
        path = write_version(folder, 1)
        await looked_twice(registry)
        assert digests(registry) == before
        write_recogniser(path, small_card())
        await looked_twice(registry)
        assert digests(registry)["small"] == digest_of(path)

    with_registry(folder, scenario)


def test_where_the_default_goes_the_first_is_the_default_until_it_is_back(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        content = (folder / "small.onnx").read_bytes()
        (folder / "small.onnx").unlink()
        await looked_twice(registry)
        assert registry.now.default == "plain"
        assert registry.now.find(None) is registry.now.find("plain")
        with pytest.raises(UnknownModel, match="Choose one of: plain"):
            registry.now.find("small")
        (folder / "small.onnx").write_bytes(content)
        await looked_twice(registry)
        assert registry.now.default == "small"

    with_registry(folder, scenario)


def test_the_last_file_that_goes_is_served_until_another_comes(folder: Path, warnings: Callable[[], list[str]]) -> None:
    async def scenario(registry: Registry) -> None:
        before = registry.now.models
        shutil.rmtree(folder)
        await looked_twice(registry)
        assert registry.now.models == before
        assert all("is gone, and the service would have no model left" in line for line in warnings())
        await asyncio.to_thread(folder.mkdir)
        write_version(folder, 0, "new")
        await looked_twice(registry)
        assert set(registry.now.models) == {"new"}

    with_registry(folder, scenario)


def test_a_folder_that_cannot_be_looked_at_changes_nothing(
    folder: Path, warnings: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> os.stat_result:
        raise OSError(116, "Stale file handle")

    async def scenario(registry: Registry) -> None:
        before = registry.now
        with monkeypatch.context() as patched:
            patched.setattr(Path, "stat", broken)
            await looked_twice(registry)
        await looked_twice(registry)
        assert registry.now is before
        assert all("Stale file handle" in line for line in warnings())

    with_registry(folder, scenario)


def codes(generator: Generator, count: int) -> Codes:
    space = generator.version.card.space
    return Codes(
        draw_noise(space, 1, 0, count), space.one_hot(draw_classes(space, 1, 0, count)), draw_styles(space, 1, 0, count)
    )


def test_what_is_replaced_draws_what_was_asked_of_it_and_is_freed(folder: Path) -> None:
    async def scenario(registry: Registry) -> None:
        old = registry.now.find("small")
        expected = old.generator.generate(codes(old.generator, 1_000))
        asked = codes(old.generator, 1_000)
        under_way = asyncio.create_task(old.batcher.submit(asked))
        await asyncio.sleep(0)
        (folder / "small.recogniser.onnx").unlink()
        write_version(folder, 1)
        await looked_twice(registry)
        assert registry.now.find("small") is not old
        assert np.array_equal((await under_way).images, expected)
        # A data set's stream asks the batcher that it began with again and again.
        assert np.array_equal((await old.batcher.submit(asked)).images, expected)
        (thread,) = old.batcher._thread._threads
        generator = weakref.ref(old.generator)
        del old, under_way
        gc.collect()
        assert generator() is None
        thread.join(30)
        assert not thread.is_alive()

    with_registry(folder, scenario)
