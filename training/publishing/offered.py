"""What is offered for publishing: the last checkpoint of a run, or a generator's file from wherever it comes."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from latent.card import MODEL_NAME, recogniser_path, signature_path
from training.errors import Unfit
from training.export.model import Model
from training.files import slug
from training.loop.run import Run


@dataclass(frozen=True)
class Offered:
    name: str
    data: str
    """The data set that it learned from."""
    frame: tuple[int, int] | None
    """Height and width of its images, if they are not the data's own."""
    run: Run | None
    """None for a file."""

    @classmethod
    def of(cls, source: Path, name: str | None, data: str | None) -> Self:
        """`name` is the one that was asked for; `data` the path of a file's data, if its card names no known ones.

        Raises InvalidRun, InvalidModel and Unfit.
        """
        if source.is_file():
            card = Model(source).card
            if name not in {None, card.name}:
                raise Unfit(f"{source} has the name '{card.name}' inside; leave --name out")
            return cls(card.name, data or card.data.name, (card.image.height, card.image.width), None)
        run = Run(source)
        config = run.read_config()
        return cls(_checked(name or slug(source.resolve().stem) or "generator"), config.data, config.frame, run)


@contextmanager
def copied_aside(source: Path) -> Iterator[Path]:
    """A generator's file in a temporary folder, with its recogniser and the signatures of both."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / source.name
        for one, place in ((source, made), (recogniser_path(source), recogniser_path(made))):
            for path, copied in ((one, place), (signature_path(one), signature_path(place))):
                if path.exists():
                    shutil.copyfile(path, copied)
        yield made


def _checked(name: str) -> str:
    """Raises Unfit."""
    if re.fullmatch(MODEL_NAME, name) is None:
        raise Unfit(f"'{name}' cannot be a model's name; give --name 1 to 63 lower-case letters, digits and hyphens")
    return name
