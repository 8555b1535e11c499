import torch

from training.datasets.contents import Contents

IMAGES = torch.arange(4 * 8 * 8, dtype=torch.uint8).reshape(4, 1, 8, 8)
LABELS = torch.tensor([0, 0, 1, 1])
NAMES = ("a/1.png", "a/2.png", "b/1.png", "b/2.png")
BEFORE = Contents.of(IMAGES, LABELS, ("a", "b"), NAMES)


def changed(**fields: object) -> str | None:
    return BEFORE.difference(BEFORE.model_copy(update={"digest": "other"} | fields))


def test_the_same_pictures_do_not_differ() -> None:
    assert BEFORE.difference(Contents.of(IMAGES.clone(), LABELS, ("a", "b"), NAMES)) is None


def test_what_has_changed_is_said_in_words() -> None:
    assert changed(classes={"a": 2, "b": 2, "c": 5}) == "class 'c' was added"
    assert changed(classes={"a": 2}) == "class 'b' was removed"
    assert changed(classes={"a": 2, "c": 2}) == "class 'b' is now called 'c'"
    assert changed(height=12, channels=3) == "the images are 12 x 8 pixels in colour now, and were 8 x 8 pixels in grey"
    held = BEFORE.pictures
    assert changed(pictures=held | {"a/3.png": "new"}) == "picture 'a/3.png' was added"
    assert changed(pictures=held | {"a/1.png": "new"}) == "picture 'a/1.png' was changed"
    less = {name: digest for name, digest in held.items() if name != "b/1.png"}
    assert changed(pictures=less) == "picture 'b/1.png' was removed"
    assert changed(pictures=less | {"b/9.png": held["b/1.png"]}) == "picture 'b/1.png' is now called 'b/9.png'"
    assert (
        changed(pictures={"x": "1", "y": "2"})
        == "2 pictures, such as 'x', were added, 4 pictures, such as 'a/1.png', were removed"
    )
    assert changed(pictures={}) == "the pictures differ"


def test_the_digest_is_of_pixels_labels_classes_and_shape_and_not_of_names() -> None:
    others = [
        Contents.of(IMAGES + 1, LABELS, ("a", "b"), NAMES),
        Contents.of(IMAGES, LABELS.flip(0), ("a", "b"), NAMES),
        Contents.of(IMAGES, LABELS, ("a", "c"), NAMES),
        Contents.of(IMAGES.reshape(4, 1, 4, 16), LABELS, ("a", "b"), NAMES),
    ]
    assert len({BEFORE.digest, *(other.digest for other in others)}) == 5
    assert Contents.of(IMAGES, LABELS, ("a", "b")).digest == BEFORE.digest
