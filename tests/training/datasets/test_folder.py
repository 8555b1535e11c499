import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

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
    assert images.classes == ("Red Ones", "blue", "green")
    assert images.images.shape == (54, 3, 32, 32)  # every tenth is for the test
    assert images.card.name == "my-things"
    assert str(tmp_path) not in images.card.model_dump_json()
    red = images.images[images.labels == 0]
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
    Image.new("L", (10, 10), 0).save(root / "other.png")
    read = load_images(str(root), Path("data"), train=True)
    assert read.images.shape[1] == 1
    assert all(side % 4 == 0 and 8 <= side <= 64 for side in read.images.shape[2:])
    assert len(read.classes) == 1
    assert len(read.images) == len(read.labels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16", "1"])
def test_grey_of_any_mode_is_one_channel_of_the_same_grey(tmp_path: Path, mode: str) -> None:
    bright = np.zeros((12, 12), np.uint8)
    bright[2:, 3:] = 255
    for k in range(2):
        if mode == "I;16":
            picture = Image.fromarray(bright.astype(np.uint16) * 257)
        else:
            picture = Image.fromarray(bright).convert(mode)
        picture.save(tmp_path / f"{k}.png")
    images = load_images(str(tmp_path), Path("data"), train=True).images
    assert images.shape == (1, 1, 12, 12)
    assert np.array_equal(images[0, 0].numpy(), bright)


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    broken = fill(tmp_path / "things") / "green" / "007.png"
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(DataUnavailable, match=rf"{broken}.*replace it, or move it"):
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


def strokes(count: int = 20, side: int = 28) -> list[np.ndarray]:
    """A line that leans more from picture to picture: (side, side) in [0, 255]."""
    drawn = []
    for k in range(count):
        picture = Image.new("L", (side, side))
        ImageDraw.Draw(picture).line((2 + k % 9, 2, side - 3, side - 4 - k % 5), fill=255, width=3)
        drawn.append(np.asarray(picture))
    return drawn


@pytest.mark.parametrize(("ink", "ground"), [("black", 255), ("white", 0), ("navy", 255), ("yellow", 0)])
def test_what_is_transparent_is_the_ground_that_what_is_drawn_stands_out_from(
    tmp_path: Path, ink: str, ground: int
) -> None:
    for k, stroke in enumerate(strokes()):
        picture = Image.new("RGBA", (28, 28), ink)
        picture.putalpha(Image.fromarray(stroke))
        picture.save(tmp_path / f"{k}.png")
    images = load_images(str(tmp_path), Path("data"), train=True).images
    assert (images[:, :, 0, 0] == ground).all()
    assert all(image.min() < image.max() for image in images)


def test_a_picture_that_would_vanish_on_the_ground_of_the_others_has_its_own(tmp_path: Path) -> None:
    for k, stroke in enumerate(strokes()):
        picture = Image.new("LA", (28, 28), 255 if k == 3 else 0)
        picture.putalpha(Image.fromarray(stroke))
        picture.save(tmp_path / f"{k:02}.png")
    images = load_images(str(tmp_path), Path("data"), train=True).images
    assert [int(image[0, 0, 0]) for image in images[:5]] == [255, 255, 255, 0, 255]


def test_a_palette_with_a_transparent_colour_is_transparent(tmp_path: Path) -> None:
    for k, stroke in enumerate(strokes(2)):
        palette = Image.fromarray((stroke > 0).astype(np.uint8))
        palette.putpalette([0, 0, 0, 0, 0, 0])
        palette.save(tmp_path / f"{k}.png", transparency=0)
    images = load_images(str(tmp_path), Path("data"), train=True).images
    assert set(images.flatten().tolist()) == {0, 255}


def test_pictures_without_any_difference_are_refused(tmp_path: Path) -> None:
    for k in range(4):
        Image.new("RGBA", (8, 8), (90, 0, 0, 0)).save(tmp_path / f"{k}.png")
    with pytest.raises(DataUnavailable, match="show nothing: all their pixels are alike"):
        load_images(str(tmp_path), Path("data"), train=True)
    for k, stroke in enumerate(strokes(4)):
        Image.fromarray(stroke // 255).save(tmp_path / f"{k}.png")
    with pytest.raises(DataUnavailable, match=r"are from 0 to 1 of 0 to 255.*scale its levels"):
        load_images(str(tmp_path), Path("data"), train=True)


def test_an_opaque_picture_of_another_shape_is_framed_by_the_colour_of_its_border(tmp_path: Path) -> None:
    for k in range(4):
        picture = Image.new("RGB", (28, 14 if k else 28), (250, 240, 230))
        ImageDraw.Draw(picture).ellipse((8, 4, 18, 11), fill="black")
        picture.save(tmp_path / f"{k}.png")
    images = load_images(str(tmp_path), Path("data"), train=True, size=(28, 28)).images
    assert (images[1, :, 0, 0] == torch.tensor([250, 240, 230])).all()


@pytest.mark.parametrize("depth", [8, 10, 12, 16])
def test_sixteen_bits_that_hold_fewer_fill_the_range(tmp_path: Path, depth: int) -> None:
    for k, stroke in enumerate(strokes(10)):
        levels = stroke.astype(np.uint32) * ((1 << depth) - 1) // (255 if k == 0 else 510)
        Image.fromarray(levels.astype(np.uint16)).save(tmp_path / f"{k}.{'tif' if k == 1 else 'png'}")
    images = load_images(str(tmp_path), Path("data"), train=True).images
    assert images[0].max() == 255
    assert images[1:].amax((1, 2, 3)).tolist() == [images[1].max()] * 8  # one depth for all
    assert 126 <= images[1].max() <= 128


def png_of_16_bits(levels: np.ndarray) -> bytes:
    """A colour PNG (H, W, 3) of 16 bits, which Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = levels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_colours_of_sixteen_bits_fill_them_or_are_refused(tmp_path: Path) -> None:
    for k, stroke in enumerate(strokes(4)):
        colours = np.stack([stroke, stroke // 2, stroke * 0], 2).astype(np.uint16)
        (tmp_path / f"{k}.png").write_bytes(png_of_16_bits(colours * (257 if k == 0 else 16)))
    images = load_images(str(tmp_path), Path("data"), train=True).images
    assert images[0].amax((1, 2)).tolist() == [255, 127, 0]
    (tmp_path / "0.png").unlink()
    with pytest.raises(DataUnavailable, match=r"1\.png: its colours have 16 bits, but fill 14 or fewer.*8 bits"):
        load_images(str(tmp_path), Path("data"), train=True)


SCRIPTS = ("A", "a", "犬", "Ünïcode", "★", "-", "emoji 😀", "2", "10")


def test_a_class_has_the_name_of_its_folder_in_any_script(tmp_path: Path) -> None:
    for name in SCRIPTS:
        for k, stroke in enumerate(strokes(3)):
            (tmp_path / unicodedata.normalize("NFD", name)).mkdir(exist_ok=True)
            Image.fromarray(stroke).save(tmp_path / unicodedata.normalize("NFD", name) / f"{k}.png")
    images = load_images(str(tmp_path), Path("data"), train=True)
    assert images.classes[:2] == ("2", "10")  # numbers in their own order
    assert set(images.classes) == set(SCRIPTS)
    assert images.labels.bincount().tolist() == [2] * len(SCRIPTS)


def test_names_that_cannot_be_a_class_are_refused(tmp_path: Path) -> None:
    for name, what in (("one\ntwo", "control characters"), ("x" * 101, "1 to 100 characters")):
        folder = tmp_path / what / name
        folder.mkdir(parents=True)
        for k, stroke in enumerate(strokes(2)):
            Image.fromarray(stroke).save(folder / f"{k}.png")
        with pytest.raises(DataUnavailable, match=what) as refused:
            load_images(str(tmp_path / what), Path("data"), train=True)
        assert "\n" not in str(refused.value)
    for form in ("NFC", "NFD"):
        folder = tmp_path / "twice" / unicodedata.normalize(form, "Ü")
        folder.mkdir(parents=True)
        Image.fromarray(strokes(1)[0]).save(folder / "1.png")
    with pytest.raises(DataUnavailable, match=r"two folders of .* are called 'Ü'"):
        load_images(str(tmp_path / "twice"), Path("data"), train=True)


def test_folders_whose_names_have_no_letter_of_ours_are_data_of_their_own(tmp_path: Path) -> None:
    names = set()
    for name in ("犬", "猫"):
        (tmp_path / name).mkdir()
        for k, stroke in enumerate(strokes(2)):
            Image.fromarray(stroke).save(tmp_path / name / f"{k}.png")
        names.add(load_images(str(tmp_path / name), Path("data"), train=True).card.name)
    assert len(names) == 2


def test_pictures_deeper_in_the_folder_of_a_class_are_of_the_class(tmp_path: Path) -> None:
    for k, stroke in enumerate(strokes(6)):
        place = tmp_path / "line" / ("left" if k % 2 else "right/far")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stroke).save(place / f"{k}.png")
    (tmp_path / "line" / "again").symlink_to(tmp_path / "line")
    fill(tmp_path / "dots")
    images = load_images(str(tmp_path), Path("data"), train=True)
    assert images.classes == ("dots", "line")
    assert images.labels.bincount().tolist() == [54, 5]


def test_folders_that_all_pictures_lie_in_are_no_class(tmp_path: Path) -> None:
    fill(tmp_path / "unzipped" / "things")
    images = load_images(str(tmp_path), Path("data"), train=True)
    assert images.classes == tuple(sorted(COLOURS))


@pytest.mark.parametrize(
    ("train", "test"), [("training", "testing"), ("Train", "Test"), ("training_set", "test_set"), ("train", "Valid 1")]
)
def test_folders_of_splits_have_many_names(tmp_path: Path, train: str, test: str) -> None:
    fill(tmp_path / "things" / train, count=3)
    fill(tmp_path / "things" / test / "images", count=1)
    images, tested = (load_images(str(tmp_path), Path("data"), train=part) for part in (True, False))
    assert images.classes == tested.classes == tuple(sorted(COLOURS))
    assert (len(images), len(tested)) == (9, 3)


def test_a_class_may_be_called_as_a_split_is(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    for name in ("train", "test tubes"):
        fill(tmp_path / "both" / name, count=4)
    assert load_images(str(tmp_path / "both"), Path("data"), train=True).classes == ("test tubes", "train")


def test_what_systems_put_beside_pictures_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path)
    for name in ("__MACOSX/a/0.png", "blue/@eaDir/0.png", ".thumbnails/a/0.png", "blue/._0.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    assert load_images(str(tmp_path), Path("data"), train=True).classes == tuple(sorted(COLOURS))


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "blue" / "gone.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataUnavailable, match=r"blue/gone.png cannot be read as a picture: No such file"):
        load_images(str(tmp_path), Path("data"), train=True)
