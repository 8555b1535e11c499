from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.datasets import folder
from training.datasets.images import load_images
from training.errors import DataUnavailable
from training.loop.run import Config, Run
from training.loop.train import train_run
from training.progress import quiet

COLOURS = {"Red Ones": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


def fill(root: Path, *, side: int = 30, count: int = 20) -> Path:
    """Three classes of colour images, of sizes that differ by a few pixels."""
    for name, colour in COLOURS.items():
        (root / name).mkdir(parents=True)
        for k in range(count):
            Image.new("RGB", (side + k % 3, side + k % 2), colour).save(root / name / f"{k:03}.png")
    return root


def test_three_classes_of_mixed_sizes_in_colour_become_one_shape(tmp_path: Path) -> None:
    images = load_images(str(fill(tmp_path / "My Things")), Path("data"), train=True)
    assert images.classes == ("blue", "green", "red-ones")
    assert images.images.shape == (54, 3, 32, 32)  # every tenth is for the test
    assert images.card.name == "my-things"
    assert str(tmp_path) not in images.card.model_dump_json()
    red = images.images[images.labels == 2]
    assert (red[:, 0, 16, 16] == 200).all()
    assert (red[:, 1:] == 0).all()
    assert len(load_images(str(tmp_path / "My Things"), Path("data"), train=False)) == 6


@pytest.mark.parametrize("preset", ["lsgan", "acgan", "cvae"])
def test_a_folder_of_colour_images_trains(tmp_path: Path, preset: str) -> None:
    images = load_images(str(fill(tmp_path / "things")), Path("data"), train=True)
    config = Config.of(preset, data=str(tmp_path / "things"), seed=0, epochs=1, batch=16)
    state = train_run(Run(tmp_path / "run"), config, images, torch.device("cpu"), quiet)
    assert state.players.generator.image == images.shape
    assert (tmp_path / "run" / "sheets" / "step-00000003.png").exists()


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=2, max_size=6))
def test_any_mix_of_sizes_gives_one_shape_of_multiples_of_four(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int, int]]
) -> None:
    root = tmp_path_factory.mktemp("mixed")
    for k, size in enumerate(sizes):
        Image.new("L", size, 255).save(root / f"{k}.png")
    images, labels, classes = folder.read(root, train=True)
    assert images.shape[1] == 1
    assert all(side % 4 == 0 and 8 <= side <= 64 for side in images.shape[2:])
    assert len(classes) == 1
    assert len(images) == len(labels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16", "1"])
def test_grey_of_any_mode_is_one_channel_of_the_same_grey(tmp_path: Path, mode: str) -> None:
    for k in range(2):
        if mode == "I;16":
            picture = Image.fromarray(np.full((12, 12), 65535, np.uint16))
        else:
            picture = Image.new("L", (12, 12), 255).convert(mode)
        picture.save(tmp_path / f"{k}.png")
    images, _, _ = folder.read(tmp_path, train=True)
    assert images.shape == (1, 1, 12, 12)
    assert (images == 255).all()


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    for k in range(2):
        Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save(tmp_path / f"{k}.png")
    images, _, _ = folder.read(tmp_path, train=True)
    assert (images == 0).all()


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    broken = fill(tmp_path / "things") / "green" / "007.png"
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(DataUnavailable, match=rf"{broken}.*delete or replace"):
        load_images(str(tmp_path / "things"), Path("data"), train=True)


def test_folders_that_cannot_be_a_data_set_say_why(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailable, match="not a folder"):
        load_images(str(tmp_path / "nowhere"), Path("data"), train=True)
    with pytest.raises(DataUnavailable, match="has no images"):
        load_images(str(tmp_path), Path("data"), train=True)
    (tmp_path / "one").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "one" / "a.png")
    with pytest.raises(DataUnavailable, match="only image of its class"):
        load_images(str(tmp_path), Path("data"), train=True)


def test_given_splits_are_kept_and_must_have_the_same_classes(tmp_path: Path) -> None:
    fill(tmp_path / "train", count=3)
    fill(tmp_path / "test", count=1)
    assert len(load_images(str(tmp_path), Path("data"), train=True)) == 9
    assert len(load_images(str(tmp_path), Path("data"), train=False)) == 3
    (tmp_path / "test" / "blue" / "000.png").unlink()
    with pytest.raises(DataUnavailable, match="no images of class 'blue'"):
        load_images(str(tmp_path), Path("data"), train=True)


def test_two_sets_of_one_name_have_digests_of_their_own(tmp_path: Path) -> None:
    first = load_images(str(fill(tmp_path / "a" / "things")), Path("data"), train=True)
    second = load_images(str(fill(tmp_path / "b" / "things", side=40)), Path("data"), train=True)
    assert first.card == second.card
    assert first.digest() != second.digest()
    assert first.digest() == load_images(str(tmp_path / "a" / "things"), Path("data"), train=True).digest()
