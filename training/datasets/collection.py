"""Labelled pictures as people have them: a folder, an archive, a table or arrays."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from training.datasets.pictures import Picture
from training.errors import DataUnavailable

Placed = tuple[PurePosixPath, Picture]
"""A picture and its path in the data set."""

TEST_EVERY = 10
LONGEST_CLASS = 100
"""Characters of a class's name in a card."""
SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}
"""What the parts of data sets are called."""
FILLERS = {"set", "data", "images", ""}
"""What may follow in the name of a part's folder, as in `test_set`."""


@dataclass(frozen=True)
class Collection:
    """The pictures to train on and to test on, by class, and the classes' names."""

    train: tuple[Picture, ...]
    test: tuple[Picture, ...]
    classes: tuple[str, ...]

    @classmethod
    def split(cls, where: object, parts: dict[str, list[Picture]], classes: Sequence[str] = ()) -> "Collection":
        """Of parts named as in SPLITS. If there is one part, every tenth picture of a class is for the test.

        The classes are in order of their names, unless they are given in theirs. Raises DataUnavailable.
        """
        parts = {name: pictures for name, pictures in parts.items() if pictures}
        if not parts:
            raise DataUnavailable(f"{where} has no images, nor have its sub-folders; name data that has with --data")
        test = None if len(parts) == 1 else parts.pop("test", None) or parts.pop("val")
        train = [picture for pictures in parts.values() for picture in pictures]
        if test is None:
            train, test = _hold_out(train)
        _check_classes(where, train, test)
        labels = {picture.label for picture in train}
        names = tuple(name for name in classes if name in labels) or tuple(sorted(labels, key=_by_number))
        return cls(_in_order(train, names), _in_order(test, names), names)


def split_of(name: str) -> str:
    """Which split a file or folder is of by its name; `train` if the name does not say."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((SPLITS[word] for word in words if word in SPLITS), "train")


def by_folder(where: object, whole: str, found: Iterable[Placed]) -> Collection:
    """Pictures by their paths. The first folder is the class, behind folders `train` and `test` if there are both.

    A folder that all others lie in does not count. Pictures in no folder are one class, called `whole`. Raises
    DataUnavailable.
    """
    parts: dict[str, list[Picture]] = {}
    bare: list[Picture] = []
    origins: dict[str, str] = {}
    for split, placed in _part(where, _without_top(sorted(found, key=lambda pair: pair[0]))).items():
        for path, picture in _without_top(placed):
            top = path.parts[0]
            label = name_class(top, picture.where) if len(path.parts) > 1 else whole
            if len(path.parts) == 1:
                bare.append(picture)
            elif origins.setdefault(label, top) != top:
                raise DataUnavailable(f"two folders of {where} are called '{label}', in other bytes; rename one")
            parts.setdefault(split, []).append(_labelled(picture, label))
    if bare and origins:
        raise DataUnavailable(f"{bare[0].where} lies beside the class folders of {where}; move it into one of them")
    return Collection.split(where, parts)


def _part(where: object, placed: list[Placed]) -> dict[str, list[Placed]]:
    """The pictures of each split with their paths in it; all of them are `train` if there are no such folders."""
    named = {_split_of_folder(path.parts[0]) for path, _ in placed if len(path.parts) > 1}
    if "train" not in named or not named & {"test", "val"}:
        return {"train": placed}
    parts: dict[str, list[Placed]] = {}
    for path, picture in placed:
        split = _split_of_folder(path.parts[0])
        if not split or len(path.parts) == 1:
            raise DataUnavailable(f"{picture.where} lies beside the folders of {where}; move it into one of them")
        parts.setdefault(split, []).append((_below(path), picture))
    return parts


def _without_top(placed: list[Placed]) -> list[Placed]:
    """Drop each folder that all lie in, if the pictures have folders of their own: it is what was packed."""
    while len({path.parts[0] for path, _ in placed}) == 1 and all(len(path.parts) > 2 for path, _ in placed):
        placed = [(_below(path), picture) for path, picture in placed]
    return placed


def _below(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(*path.parts[1:])


def _split_of_folder(name: str) -> str:
    """Which split a folder is of by its name, as `Testing` or `test_set`; none if it is a class, as `test tubes`."""
    first, *rest = re.split(r"[^a-z]+", name.lower())
    return SPLITS.get(first, "") if FILLERS.issuperset(rest) else ""


def name_class(name: str, where: str) -> str:
    """The name of a class: that of its folder, in Unicode's composed form. Raises DataUnavailable."""
    composed = unicodedata.normalize("NFC", name)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in composed):
        raise DataUnavailable(f"{where!r}: its class's name has control characters, or is not UTF-8; rename it")
    if not 0 < len(composed) <= LONGEST_CLASS:
        raise DataUnavailable(f"{where}: its class's name must have 1 to {LONGEST_CLASS} characters; rename it")
    return composed


def _labelled(picture: Picture, label: str) -> Picture:
    return Picture(picture.name, label, picture.content, picture.where)


def _hold_out(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Part pictures into those to train on and those to test on. Raises DataUnavailable."""
    train: list[Picture] = []
    test: list[Picture] = []
    by_class: dict[str, list[Picture]] = {}
    for picture in pictures:
        by_class.setdefault(picture.label, []).append(picture)
    for alike in by_class.values():
        if len(alike) == 1:
            raise DataUnavailable(
                f"{alike[0].where} is the only image of its class; add another, since one is to train on and one to "
                "test on"
            )
        every = min(TEST_EVERY, len(alike))
        test += alike[every - 1 :: TEST_EVERY]
        train += [picture for place, picture in enumerate(alike) if place % TEST_EVERY != every - 1]
    return train, test


def _check_classes(where: object, train: list[Picture], test: list[Picture]) -> None:
    known, tested = (Counter(picture.label for picture in pictures) for pictures in (train, test))
    if differing := sorted(known.keys() ^ tested.keys()):
        part = "test" if differing[0] in known else "train"
        raise DataUnavailable(
            f"{where} has no images of class '{differing[0]}' in its {part} part; add some, or remove the class from "
            "the other part"
        )


def _in_order(pictures: Iterable[Picture], classes: Sequence[str]) -> tuple[Picture, ...]:
    place = {name: place for place, name in enumerate(classes)}
    return tuple(sorted(pictures, key=lambda picture: place[picture.label]))  # stable: in a class, as they were


def _by_number(name: str) -> tuple[bool, int, str]:
    """10 comes after 9, and numbers before words."""
    is_number = name.isascii() and name.isdecimal()
    return not is_number, int(name) if is_number else 0, name
