"""All presets by one protocol: the table of many evaluations."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latent import Training, draw_codes
from training.errors import InvalidRun
from training.evaluation.by_class import SEED
from training.evaluation.evaluation import Evaluation, Measures
from training.export.model import Model
from training.files import replacing, slug, write_text
from training.loop.run import Config, Run

EVEN = 0.1
"""the most nats from even shares, of a preset that draws all classes"""

SURE = 0.8
"""the least mean confidence of the judge, of a preset whose images are recognised"""

ASKED = {"mnist": 0.97, "fashion-mnist": 0.85}
"""the least share of images of the asked class, of a conditional preset"""


COLUMNS = 16
"""images a row of the picture"""

LABEL = 90
"""pixels left of them, for the preset's name"""

SCALE = 2


@dataclass(frozen=True)
class Compared:
    """A run that was evaluated."""

    config: Config
    training: Training
    evaluation: Evaluation
    sample: NDArray[np.uint8]
    """(16, H, W, channels), its classes in turn where it has any"""

    def shortcomings(self) -> list[str]:
        """Why the preset does not count as working; empty where it does."""
        drawn = self.evaluation.drawn
        found = []
        if self.training.epochs < self.config.epochs:
            found.append(f"collapsed for good after {self.training.epochs:g} epochs")
        if drawn.class_kl >= EVEN:
            lacking = [name for name, share in drawn.histogram.items() if share < EVEN / len(drawn.histogram)]
            found.append("classes uneven" + (f", lacks {', '.join(lacking)}" if lacking else ""))
        if drawn.confidence <= SURE:
            found.append("not recognised")
        least = ASKED.get(self.config.data, 0.0)
        if self.config.codes in ("cgan", "acgan") and (drawn.accuracy or 0) < least:
            found.append(f"asked class below {least:.0%}")
        return found


def read(run: Run) -> Compared:
    """What 'evaluate' left in a run's folder. Raises InvalidRun and InvalidModel."""
    path = run.folder / "evaluation.json"
    if not path.exists():
        raise InvalidRun(f"{run.folder} was not evaluated yet; run 'faussaire evaluate {run.folder}'")
    model = Model(run.folder / "model.onnx")
    space = model.card.space
    codes = draw_codes(space, SEED, 0, COLUMNS, np.arange(COLUMNS) % max(len(space.classes), 1))
    evaluation = Evaluation.model_validate_json(path.read_text(encoding="utf-8"))
    return Compared(run.read_config(), model.card.training, evaluation, model.generate(codes, COLUMNS))


def save(path: Path, compared: list[Compared]) -> None:
    """Markdown with a table for each data set, real images in its last row; and a picture for each, beside it."""
    sets = {data: [row for row in compared if row.config.data == data] for data in names(compared)}
    write_text(path, "\n".join(_page(sets)) + "\n")
    for data, rows in sets.items():
        with replacing(path.parent / picture("presets", data)) as beside:
            sheet(rows).save(beside, optimize=True)


def names(compared: list[Compared]) -> list[str]:
    """The data sets, each once."""
    return list(dict.fromkeys(row.config.data for row in compared))


def sheet(rows: list[Compared]) -> Image.Image:
    """A row of samples a run, its preset's name before it."""
    height, width = (SCALE * side for side in rows[0].sample.shape[1:3])
    whole = Image.new("RGB", (LABEL + COLUMNS * width, len(rows) * height), "black")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for line, row in enumerate(rows):
        draw.text((8, line * height + height // 2), row.config.preset, fill="white", font=font, anchor="lm")
        strip = Image.fromarray(np.hstack(list(row.sample)).squeeze())
        strip = strip.resize((COLUMNS * width, height), Image.Resampling.NEAREST)
        whole.paste(strip, (LABEL, line * height))
    return whole


def picture(kind: str, data: str) -> str:
    """Where a page's picture of a data set is, which may be named by a folder's path."""
    return f"pictures/{kind}-{slug(data)}.png"


def _page(sets: dict[str, list[Compared]]) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "Written by `faussaire compare`. FID and KID are distances between features of the judge, a classifier of real images; the last row has"
    yield "real training images in place of drawn ones, which is the floor. A preset works where its classes are even (KL under 0.1), its images are"
    yield "recognised (confidence over 0.8) and, if it is conditional, the asked class is the judge's in 97 % (MNIST) or 85 % (Fashion-MNIST)."
    yield "The class asked of an `infogan` is the one that its code was matched to. CAS is the accuracy on real test images of a classifier trained"
    yield "on drawn ones alone. Seconds are wall time, whatever else the machine did. [training.md](training.md) says why some fall short, and"
    yield "[codes.md](codes.md) has longer runs of `infogan`, over seeds, with sweeps of their style codes."
    for data, rows in sets.items():
        first = rows[0].evaluation
        yield from ("", f"## {data}", "")
        yield f"Judge: {first.judge}. {first.images:,} images each, seed {first.seed}."
        yield from ("", f"![Samples of {data}, a preset a row]({picture('presets', data)})", "")
        yield "| preset | seed | real images seen | seconds | FID | KID | precision | recall | density | coverage | Parzen, nats | class KL | confidence | asked class | CAS | works |"
        yield "| --- " * 16 + "|"
        for row in rows:
            works = "; ".join(row.shortcomings()) or "yes"
            seen = f"{row.training.images:,} | {row.training.seconds:,.0f} ({row.training.device})"
            yield f"| {row.config.preset} | {row.config.seed} | {seen} | {_figures(row.evaluation.drawn)} | {works} |"
        yield f"| real images | | | | {_figures(first.real)} | |"


def _figures(found: Measures) -> str:
    cells = [
        f"{found.fid:.2f}",
        f"{found.kid:.3f}",
        f"{found.precision:.3f}",
        f"{found.recall:.3f}",
        f"{found.density:.3f}",
        f"{found.coverage:.3f}",
        f"{found.log_likelihood:.0f} \N{PLUS-MINUS SIGN} {found.log_likelihood_error:.0f}",
        f"{found.class_kl:.3f}",
        f"{found.confidence:.3f}",
        _share(found.accuracy),
        _share(found.score),
    ]
    return " | ".join(cells)


def _share(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.1%}"
