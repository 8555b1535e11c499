"""The models folder as publishing, promotion and rollback leave it."""

import os
import shutil
from pathlib import Path

import pytest

from latent import Release
from latent.card import recogniser_path
from latent.release import release_path, version_label
from tests.conftest import digest_of, small_card, write_named_version, write_recogniser, write_small, write_version
from training.errors import InvalidFolder, NoSuchVersion
from training.publishing.versions import Versions


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five versions in folders of their own, the second with a recogniser."""
    paths = [write_version(tmp_path_factory.mktemp("made"), number) for number in range(5)]
    write_recogniser(paths[1], small_card())
    return paths


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_small(tmp_path, "plain", coded=False)
    return tmp_path


def publish(models: Path, path: Path, canary: float | None = None, keep: int = 3) -> Versions:
    return Versions.find(models, "small").publish(path, canary, keep)


def release(models: Path) -> Release:
    return Release.read(release_path(models, "small"))


def names(models: Path) -> set[str]:
    return {path.name for path in models.iterdir()}


def named(path: Path) -> str:
    return version_label("small", digest_of(path))


def test_the_first_of_a_name_is_stable(models: Path, made: list[Path]) -> None:
    publish(models, made[1])
    assert release(models) == Release(stable=digest_of(made[1]))
    expected = {f"{named(made[1])}.onnx", f"{named(made[1])}.recogniser.onnx"}
    assert names(models) == expected | {"plain.onnx", "small.release.json"}
    assert (models / f"{named(made[1])}.onnx").read_bytes() == made[1].read_bytes()
    assert (models / f"{named(made[1])}.recogniser.onnx").read_bytes() == recogniser_path(made[1]).read_bytes()


def test_the_next_is_stable_and_can_be_rolled_back_as_far_as_versions_are_kept(models: Path, made: list[Path]) -> None:
    for path in made:
        publish(models, path)
    digests = [digest_of(path) for path in made]
    assert release(models) == Release(stable=digests[4], before=(digests[3], digests[2]))
    expected = {f"{named(path)}.onnx" for path in made[2:]}
    assert names(models) == expected | {"plain.onnx", "small.release.json"}  # and no recogniser of one that is gone
    for stable in (digests[3], digests[2]):
        assert Versions.find(models, "small").roll_back().known.stable == release(models).stable == stable
    with pytest.raises(NoSuchVersion, match=f"no version before {named(made[2])} .*publish a better one"):
        Versions.find(models, "small").roll_back()


def test_a_file_from_before_there_were_releases_is_what_was_stable_before_and_is_never_taken_away(
    models: Path, made: list[Path]
) -> None:
    shutil.copy(made[0], models / "small.onnx")
    for path in made[1:]:
        publish(models, path, keep=2)
    assert (models / "small.onnx").read_bytes() == made[0].read_bytes()
    assert names(models) == {"small.onnx", "plain.onnx", "small.release.json"} | {
        f"{named(path)}.onnx" for path in made[3:]
    }


def test_such_a_file_can_be_rolled_back_to(models: Path, made: list[Path]) -> None:
    shutil.copy(made[0], models / "small.onnx")
    publish(models, made[1])
    Versions.find(models, "small").roll_back()
    assert release(models) == Release(stable=digest_of(made[0]))


def test_a_canary_is_promoted_given_more_seeds_or_taken_back(models: Path, made: list[Path]) -> None:
    stable, canary = digest_of(made[0]), digest_of(made[1])
    publish(models, made[0])
    publish(models, made[1], canary=0.05)
    assert release(models) == Release(stable=stable, canary=canary, weight=0.05)
    Versions.find(models, "small").promote(0.25)
    assert release(models) == Release(stable=stable, canary=canary, weight=0.25)
    with pytest.raises(NoSuchVersion, match=f"{named(made[1])} is still the canary; run 'faussaire promote'"):
        publish(models, made[2])
    publish(models, made[2], canary=0.5)  # in its place
    assert release(models) == Release(stable=stable, canary=digest_of(made[2]), weight=0.5)
    assert f"{named(made[1])}.onnx" not in names(models)
    Versions.find(models, "small").roll_back()
    assert release(models) == Release(stable=stable)
    publish(models, made[3], canary=0.5)
    Versions.find(models, "small").promote(None)
    assert release(models) == Release(stable=digest_of(made[3]), before=(stable,))
    with pytest.raises(NoSuchVersion, match="'small' has no canary; publish one with"):
        Versions.find(models, "small").promote(None)


def test_what_was_rolled_back_is_taken_away_by_the_next_that_is_published(models: Path, made: list[Path]) -> None:
    for path in made[:2]:
        publish(models, path)
    Versions.find(models, "small").roll_back()
    assert f"{named(made[1])}.onnx" in names(models)
    publish(models, made[2])
    assert f"{named(made[1])}.onnx" not in names(models)
    assert release(models) == Release(stable=digest_of(made[2]), before=(digest_of(made[0]),))


def test_at_every_moment_the_folder_says_what_the_name_means(
    models: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each rename, and so after whichever was the last before the power was cut."""
    shutil.copy(made[0], models / "small.onnx")
    seen: list[tuple[str, str]] = []
    honest = Path.replace

    def watched(self: Path, target: Path) -> Path:
        assert self.name.startswith(".")
        done = honest(self, target)
        found = Versions.find(models, "small")  # raises InvalidFolder where it is unclear
        assert found.stable.exists()
        seen.append((Path(target).name, found.known.stable))
        return done

    monkeypatch.setattr(Path, "replace", watched)
    publish(models, made[1])
    before, after = digest_of(made[0]), digest_of(made[1])
    assert seen == [
        ("small.release.json", before),
        (f"{named(made[1])}.recogniser.onnx", before),
        (f"{named(made[1])}.onnx", before),
        ("small.release.json", after),
    ]


def test_a_file_is_on_the_disk_before_it_takes_its_place(
    models: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    honest = os.fsync

    def watched(opened: int) -> None:
        synced.append(Path(f"/proc/self/fd/{opened}").resolve().name)
        honest(opened)

    monkeypatch.setattr(os, "fsync", watched)
    publish(models, made[0])
    pid = os.getpid()
    assert synced == [f".{named(made[0])}.{pid}.onnx", models.name, f".small.release.{pid}.json", models.name]


def test_a_folder_that_another_changed_meanwhile_is_not_written_over(models: Path, made: list[Path]) -> None:
    publish(models, made[0])
    mine = Versions.find(models, "small")
    publish(models, made[1])
    before = names(models)
    with pytest.raises(InvalidFolder, match=r"another process changed .* meanwhile; run the same command again"):
        mine.publish(made[2], None, 3)
    assert names(models) == before


def test_what_could_not_be_copied_leaves_the_release_as_it_was(
    models: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(models, made[0])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = names(models)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        publish(models, made[1])
    assert names(models) == before
    assert release(models) == Release(stable=digest_of(made[0]))


def test_what_cannot_be_is_refused_with_its_remedy(models: Path, made: list[Path]) -> None:
    with pytest.raises(InvalidFolder, match="is not a folder; name the service's models folder with --models"):
        Versions.find(models / "nowhere", "small")
    with pytest.raises(NoSuchVersion, match=r"no file in .* has the name 'small'; publish it first"):
        Versions.find(models, "small").roll_back()
    with pytest.raises(NoSuchVersion, match=r"no file in .* has the name 'small'; publish it first"):
        Versions.find(models, "small").promote(None)
    with pytest.raises(NoSuchVersion, match="'small' has no stable version yet; leave --canary out"):
        publish(models, made[0], canary=0.5)
    for number in range(2):
        write_named_version(models, number)
    with pytest.raises(InvalidFolder, match=r"several files of the name 'small', small@.*no small\.release\.json says"):
        Versions.find(models, "small")
    release_path(models, "small").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidFolder, match=r"small\.release\.json: Invalid JSON.*put it right"):
        Versions.find(models, "small")
    release_path(models, "small").write_text(Release(stable="0" * 64).text(), encoding="utf-8")
    with pytest.raises(InvalidFolder, match="names small@000000000000, but there is no such file; bring it back"):
        publish(models, made[3])


def test_a_stable_file_that_is_gone_can_be_rolled_back(models: Path, made: list[Path]) -> None:
    for path in made[:3]:
        publish(models, path)
    for path in made[1:3]:
        (models / f"{named(path)}.onnx").unlink()
    Versions.find(models, "small").roll_back()  # past the one that is gone too
    assert release(models) == Release(stable=digest_of(made[0]))


def test_what_the_name_means_is_the_stable_file_and_the_canarys_as_far_as_they_are_there(
    models: Path, made: list[Path]
) -> None:
    assert Versions.find(models, "small").meant == []
    for path in made[:2]:
        publish(models, path)
    publish(models, made[2], canary=0.5)
    stable, canary = (models / f"{named(path)}.onnx" for path in made[1:3])
    assert Versions.find(models, "small").meant == [stable, canary]
    canary.unlink()
    assert Versions.find(models, "small").meant == [stable]


def test_files_that_are_no_generators_are_passed_over(models: Path, made: list[Path]) -> None:
    (models / "junk.onnx").write_bytes(b"junk")
    (models / ".small@0123.onnx").write_bytes(made[3].read_bytes())  # of a writer that died
    publish(models, made[0])
    assert Versions.find(models, "small").files.keys() == {digest_of(made[0])}
