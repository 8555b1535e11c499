"""What runs of an unsupervised preset found, over several seeds: their class codes, style codes, and way back."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from latent import Codes, LatentSpace, draw_noise, draw_styles
from latent.card import recogniser_path
from training.datasets.images import ImageSet
from training.evaluation.by_class import BATCH, SEED
from training.export.model import Model
from training.files import replacing, write_text
from training.measures.judge import Judge
from training.measures.shape import slant
from training.studies.comparison import Compared, names, picture

RETURNED = 1_000
"""real test images that go to codes and back"""

STEPS = 11
"""images along a sweep"""

SCALE = 2
DASH = "\N{EN DASH}"

LABEL = 24
"""pixels above a sweep, for what it is called"""


@dataclass(frozen=True)
class Found:
    """A run, with how well its codes are what they seem."""

    row: Compared
    space: LatentSpace
    read: float
    """share of real test images whose label is that of the code which the recogniser reads, codes matched to labels"""
    kept: float
    """share of real test images that are of their label still, by the judge, when drawn again from the codes read"""
    slants: float
    """Pearson's correlation of their slants with those of the images drawn again"""
    sweeps: tuple[NDArray[np.uint8], ...]
    """for each style code, images (classes, STEPS, H, W, channels)"""

    @property
    def drawn(self) -> float:
        """share of drawn images that the judge gives the label which their code was matched to"""
        return self.row.evaluation.drawn.accuracy or 0.0


class Recogniser:
    """Opens the file beside a generator's."""

    def __init__(self, generator: Path) -> None:
        self._session = ort.InferenceSession(recogniser_path(generator), providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, images: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """uint8 (N, channels, H, W) -> class weights (N, C), styles (N, S), S being 0 where there are none"""
        rows = [part.permute(0, 2, 3, 1).contiguous().numpy() for part in torch.split(images, BATCH)]
        answers = [self._session.run(self._names, {"image": part}) for part in rows]
        classes, *styles = (
            np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*answers, strict=True)
        )
        return classes, styles[0] if styles else classes[:, :0]


def found(row: Compared, path: Path, judge: Judge, test: ImageSet) -> Found:
    """Measure the generator in the file `path`, and the recogniser beside it."""
    model, recogniser = Model(path), Recogniser(path)
    space = model.card.space
    classes, styles = recogniser(test.images)
    matched = matched_share(classes.argmax(1), test.labels.numpy(), len(test.classes))
    first = test.rows(torch.arange(min(RETURNED, len(test))))
    codes = Codes(
        draw_noise(space, SEED, 0, len(first)),
        space.one_hot(classes[: len(first)].argmax(1)),
        styles[: len(first)],
    )
    drawn = model.draw(codes, BATCH)
    kept = (judge.labels(drawn) == first.labels).double().mean().item()
    before, after = slant(first.images), slant(drawn)
    whole = np.isfinite(before) & np.isfinite(after)
    slants = float(np.corrcoef(before[whole], after[whole])[0, 1])
    sweeps = tuple(sweep(model, style) for style in range(len(space.styles)))
    return Found(row, space, matched, kept, slants, sweeps)


def matched_share(codes: NDArray[np.intp], labels: NDArray[np.intp], count: int) -> float:
    """Share of images (N,) whose code is matched to their label, one code a label, so that most are (Kuhn 1955)."""
    table = np.zeros((count, count))
    np.add.at(table, (codes, labels), 1)
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum() / len(codes))


def sweep(model: Model, style: int) -> NDArray[np.uint8]:
    """Images (classes, STEPS, H, W, channels): within a row nothing but the style code moves."""
    space = model.card.space
    count, code = len(space.classes), space.styles[style]
    noise = np.repeat(draw_noise(space, SEED, 0, count), STEPS, 0)
    styles = np.repeat(draw_styles(space, SEED, 0, count), STEPS, 0)
    styles[:, style] = np.tile(np.linspace(code.low, code.high, STEPS, dtype=np.float32), count)
    images = model.generate(Codes(noise, space.one_hot(np.repeat(np.arange(count), STEPS)), styles), BATCH)
    return images.reshape(count, STEPS, *images.shape[1:])


def save(path: Path, runs: list[Found]) -> None:
    """Markdown with a table of runs and one of their style codes, a data set each; beside it the first run's sweeps."""
    lines = ["# The codes of the InfoGAN", "", *INTRODUCTION]
    for data in names([run.row for run in runs]):
        rows = [run for run in runs if run.row.config.data == data]
        lines += ["", f"## {data}", "", *_accuracies(rows), "", *_styles(rows), ""]
        lines += [f"![Sweeps of the style codes on {data}]({picture('sweeps', data)})"]
        with replacing(path.parent / picture("sweeps", data)) as written:
            sheet(rows[0]).save(written, optimize=True)
    write_text(path, "\n".join(lines) + "\n")


INTRODUCTION = (
    "Written by `faussaire seeds`. No label is used in training, and no run is left out for what labels say of it. *Drawn*: share of 10,000 drawn",
    "images that the judge gives the label which their code was matched to, on other images. *Read*: share of the real test images whose label is that of the",
    "code which the recogniser reads. *Kept*: of 1,000 real test images, those of their label still, by the judge, when their codes are read and drawn from again;",
    "*slants*: the correlation of the slant before and after. FID stands beside that of real training images. A picture has a style code a column and a class code a row.",
)


def _accuracies(runs: list[Found]) -> Iterable[str]:
    yield f"Judge: {runs[0].row.evaluation.judge}."
    yield ""
    yield "| network | seed | drawn | read | kept | slants | FID | FID of real images | seconds |"
    yield "| --- " * 9 + "|"
    for run in runs:
        config, training, measured = run.row.config, run.row.training, run.row.evaluation
        yield (
            f"| {config.network} | {config.seed} | {run.drawn:.2%} | {run.read:.2%} | {run.kept:.1%} | {run.slants:.2f} "
            f"| {measured.drawn.fid:.2f} | {measured.real.fid:.2f} | {training.seconds:,.0f} ({training.device}) |"
        )
    for network in dict.fromkeys(run.row.config.network for run in runs):
        alike = [run for run in runs if run.row.config.network == network]
        if len(alike) > 1:
            drawn, read = ([*column] for column in zip(*((run.drawn, run.read) for run in alike), strict=True))
            yield f"| {network} | mean of {len(alike)} | {_spread(drawn)} | {_spread(read)} | | | | | |"


def _spread(shares: list[float]) -> str:
    return f"{mean(shares):.2%} \N{PLUS-MINUS SIGN} {stdev(shares):.2%}"


def _styles(runs: list[Found]) -> Iterable[str]:
    yield "| network | seed | style code | moves | Spearman's rho | R2 of an independent regressor | range |"
    yield "| --- " * 7 + "|"
    for run in runs:
        for code in run.space.styles:
            config, reach = run.row.config, f"{code.low:g} to {code.high:g}"
            yield f"| {config.network} | {config.seed} | {code.name} | {code.effect or DASH} | {_figure(code.rho)} | {_figure(code.r2)} | {reach} |"


def _figure(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"


def sheet(run: Found) -> Image.Image:
    """The sweeps side by side, each below its name."""
    strips = [np.vstack([np.hstack(list(line)) for line in images]) for images in run.sweeps]
    height, width = (SCALE * side for side in strips[0].shape[:2])
    gap = LABEL
    whole = Image.new("RGB", (len(strips) * (width + gap) - gap, LABEL + height), "black")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for place, (strip, code) in enumerate(zip(strips, run.space.styles, strict=True)):
        left = place * (width + gap)
        title = f"{code.name}, from {code.low:g} to {code.high:g}"
        draw.text((left + width // 2, LABEL // 2), title, fill="white", font=font, anchor="mm")
        tiles = Image.fromarray(strip[:, :, 0] if strip.shape[2] == 1 else strip)
        whole.paste(tiles.resize((width, height), Image.Resampling.NEAREST), (left, LABEL))
    return whole
