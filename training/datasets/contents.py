"""What a data set held when a run was trained on it, and what has changed since."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict
from torch import Tensor

DIGITS = 12
PICTURE_DIGITS = 8


class Contents(BaseModel):
    """The file `data.json` of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str
    """Of shape, classes, labels and pixels."""
    height: int
    width: int
    channels: int
    classes: dict[str, int]
    """Images by class."""
    pictures: dict[str, str]
    """A digest of the pixels by name; none if the pictures have no names."""

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, classes: Sequence[str], names: Sequence[str] = ()) -> "Contents":
        """Of images uint8 (N, channels, H, W) and labels int64 (N,)."""
        channels, height, width = images.shape[1:]
        digest = hashlib.sha256(repr((tuple(images.shape), tuple(classes))).encode("utf-8", "surrogatepass"))
        pixels = images.cpu().contiguous().numpy()
        digest.update(labels.cpu().contiguous().numpy().data)
        digest.update(pixels.data)
        counts = labels.bincount(minlength=len(classes)).tolist()
        shown = zip(names, pixels, strict=True) if names else ()
        return cls(
            digest=digest.hexdigest()[:DIGITS],
            height=height,
            width=width,
            channels=channels,
            classes=dict(zip(classes, counts, strict=True)),
            pictures={name: hashlib.sha256(image.data).hexdigest()[:PICTURE_DIGITS] for name, image in shown},
        )

    def difference(self, now: "Contents") -> str | None:
        """What has changed, in words; None if nothing has."""
        if self == now:
            return None
        return self._other_classes(now) or self._other_shape(now) or self._other_pictures(now) or "the pictures differ"

    def _other_classes(self, now: "Contents") -> str | None:
        gone = [name for name in self.classes if name not in now.classes]
        new = [name for name in now.classes if name not in self.classes]
        if len(gone) == len(new) == 1 and self.classes[gone[0]] == now.classes[new[0]]:
            return f"class '{gone[0]}' is now called '{new[0]}'"
        if new:
            return f"{_some('class', 'classes', new)} added"
        return f"{_some('class', 'classes', gone)} removed" if gone else None

    def _other_shape(self, now: "Contents") -> str | None:
        before, after = self._shape(), now._shape()
        return None if before == after else f"the images are {after} now, and were {before}"

    def _shape(self) -> str:
        return f"{self.height} x {self.width} pixels in {'grey' if self.channels == 1 else 'colour'}"

    def _other_pictures(self, now: "Contents") -> str | None:
        before, after = self.pictures, now.pictures
        if not before or not after:
            return None
        gone, new = _lacking(before, after), _lacking(after, before)
        if gone and Counter(before[name] for name in gone) == Counter(after[name] for name in new):
            other = next(name for name in new if after[name] == before[gone[0]])
            rest = f", and {len(gone) - 1} more have other names" if len(gone) > 1 else ""
            return f"picture '{gone[0]}' is now called '{other}'{rest}"
        changed = [name for name in before if name in after and before[name] != after[name]]
        kinds = ((new, "added"), (gone, "removed"), (changed, "changed"))
        said = [f"{_some('picture', 'pictures', names)} {what}" for names, what in kinds if names]
        return ", ".join(said) or None


def _lacking(names: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    return [name for name in names if name not in others]


def _some(one: str, many: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{one} '{names[0]}' was"
    return f"{len(names):,} {many}, such as '{names[0]}', were"
