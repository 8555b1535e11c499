"""Many presets by one protocol: the table of their evaluations."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError

from latent import Training, draw_codes
from training.errors import InvalidRun
from training.evaluation.by_class import SEED
from training.evaluation.evaluation import Evaluation, Measures
from training.export.model import Model
from training.files import replacing, slug, write_text
from training.loop.run import Config, Run
from training.measures.registry import find_figures
from training.sheets import tile, to_picture

EVEN = 0.1
"""The most nats from even shares for a preset that draws all classes."""

SURE = 0.8
"""The least mean confidence of the judge for a preset whose images are recognised."""

ASKED = {"mnist": 0.97, "fashion-mnist": 0.85}
"""The least share of images of the asked class for a conditional preset."""


COLUMNS = 16
"""Images in a row of the picture."""

LABEL = 90
"""Pixels to the left, for the preset's name."""

SCALE = 2


@dataclass(frozen=True)
class Compared:
    """A run with its evaluation."""

    config: Config
    training: Training
    evaluation: Evaluation
    sample: NDArray[np.uint8]
    """(16, H, W, channels), its classes in turn where it has any"""

    def shortcomings(self) -> list[str]:
        """Why the preset does not count as working; empty if it does."""
        drawn = self.evaluation.drawn
        found = []
        if self.training.epochs < self.config.epochs:
            found.append(f"collapsed for good after {self.training.epochs:g} epochs")
        if not drawn.has("class_kl"):
            found.append("no classifier can judge")
        if drawn["class_kl"] >= EVEN:
            lacking = [name for name, share in drawn.histogram.items() if share < EVEN / len(drawn.histogram)]
            found.append("classes uneven" + (f", lacks {', '.join(lacking)}" if lacking else ""))
        if drawn["confidence"] <= SURE:
            found.append("not recognised")
        least = ASKED.get(self.config.data, 0.0)
        if self.config.codes in ("cgan", "acgan") and drawn.has("accuracy") and not drawn["accuracy"] >= least:
            found.append(f"asked class below {least:.0%}")
        return found


def read_run(run: Run) -> Compared:
    """Read the evaluation in a run's folder. Raises InvalidRun and InvalidModel."""
    path = run.folder / "evaluation.json"
    if not path.exists():
        raise InvalidRun(f"{run.folder} has no evaluation; run 'faussaire evaluate {run.folder}'")
    model = Model(run.folder / "model.onnx")
    space = model.card.space
    codes = draw_codes(space, SEED, 0, COLUMNS, np.arange(COLUMNS) % max(len(space.classes), 1))
    try:
        evaluation = Evaluation.model_validate_json(path.read_bytes())
    except ValidationError:
        raise InvalidRun(f"{path} is damaged; run 'faussaire evaluate {run.folder}' again") from None
    return Compared(run.read_config(), model.card.training, evaluation, model.generate(codes, COLUMNS))


def save_page(path: Path, compared: list[Compared]) -> None:
    """Write Markdown with a table for each data set, real images in the last row, and a picture for each."""
    sets = {data: [row for row in compared if row.config.data == data] for data in data_names(compared)}
    write_text(path, "\n".join(_page(sets)) + "\n")
    for data, rows in sets.items():
        with replacing(path.parent / picture_path("presets", data)) as beside:
            draw_sheet(rows).save(beside, optimize=True)


def data_names(compared: list[Compared]) -> list[str]:
    """The data sets, each once."""
    return list(dict.fromkeys(row.config.data for row in compared))


def draw_sheet(rows: list[Compared]) -> Image.Image:
    """A row of samples for each run, its preset's name before it."""
    height, width = (SCALE * side for side in rows[0].sample.shape[1:3])
    whole = Image.new("RGB", (LABEL + COLUMNS * width, len(rows) * height), "black")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for line, row in enumerate(rows):
        draw.text((8, line * height + height // 2), row.config.preset, fill="white", font=font, anchor="lm")
        whole.paste(to_picture(tile(row.sample, COLUMNS), SCALE), (LABEL, line * height))
    return whole


def picture_path(kind: str, data: str) -> str:
    """The path of a page's picture of a data set, whose name may be the path of a folder."""
    return f"pictures/{kind}-{slug(data)}.png"


def _page(sets: dict[str, list[Compared]]) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "`faussaire compare` writes this page. FID and KID are distances between features of the judge, a classifier of real images. The last row has"
    yield "real training images in place of drawn ones: the floor. A preset works if its classes are even (KL under 0.1), its images are"
    yield "recognised (confidence over 0.8) and, if it is conditional, the judge gives 97 % of the images (MNIST; 85 % for Fashion-MNIST) the class that they were asked for."
    yield "For an `infogan` the asked class is the one that its code was matched to. CAS is the accuracy on real test images of a classifier trained"
    yield "on drawn ones alone. Seconds are wall time, whatever else the machine did. [training.md](training.md) says why some presets fall short, and"
    yield "[codes.md](codes.md) has longer runs of `infogan`, over seeds, with sweeps of their style codes."
    for data, rows in sets.items():
        first = rows[0].evaluation
        yield from ("", f"## {data}", "")
        yield f"Judge: {first.judge}. {first.images:,} images each, seed {first.seed}."
        yield from ("", f"![Samples of {data}, a preset a row]({picture_path('presets', data)})", "")
        columns = ["preset", "seed", "real images seen", "seconds"]
        columns += [figure.column for figure in find_figures() if figure.column] + ["works"]
        yield f"| {' | '.join(columns)} |"
        yield "| --- " * len(columns) + "|"
        for row in rows:
            works = "; ".join(row.shortcomings()) or "yes"
            seen = f"{row.training.images:,} | {row.training.seconds:,.0f} ({row.training.device})"
            yield f"| {row.config.preset} | {row.config.seed} | {seen} | {_cells(row.evaluation.drawn)} | {works} |"
        yield f"| real images | | | | {_cells(first.real)} | |"


def _cells(measures: Measures) -> str:
    return " | ".join(figure.show_in_column(measures.figures) for figure in find_figures() if figure.column)
