"""What the codes of InfoGANs stand for, over several seeds: class codes, style codes, and the way back."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.optimize import linear_sum_assignment
from torchmetrics.functional.clustering import adjusted_rand_score, normalized_mutual_info_score

from latent import Codes, LatentSpace, draw_noise, draw_styles
from training.datasets.images import ImageSet
from training.evaluation.by_class import BATCH, SEED
from training.export.model import Model, RecogniserModel
from training.files import replacing, write_text
from training.measures.judge import Judge
from training.measures.shape import slant
from training.sheets import tile, to_picture
from training.studies.comparison import Compared, data_names, picture_path
from training.studies.spread import show_spread

RETURNED = 1_000
"""Real test images that go to codes and back."""

STEPS = 11
"""Images along a sweep."""

SCALE = 2
DASH = "\N{EN DASH}"

LABEL = 24
"""Pixels above a sweep, for its title."""


@dataclass(frozen=True)
class SeedResult:
    """A run, and how well its codes are what they seem."""

    row: Compared
    space: LatentSpace
    read: float
    """The share of real test images whose label is that of the code that the recogniser reads; codes are matched to labels."""
    information: float
    """Normalised mutual information of these codes and the labels, in [0, 1]."""
    rand: float
    """Adjusted Rand index of the same: 0 by chance, 1 for the same classes."""
    read_all: float
    """`read` of all real images, those of training too: what papers on clustering report."""
    kept: float
    """The share of real test images that keep their label, by the judge, when they are drawn again from the codes read."""
    slants: float
    """Pearson's correlation between their slants and those of the images drawn again."""
    sweeps: tuple[NDArray[np.uint8], ...]
    """For each style code, images (classes, STEPS, H, W, channels)."""

    @property
    def drawn(self) -> float:
        """The share of drawn images that the judge gives the label of their code."""
        return self.row.evaluation.drawn["accuracy"]


def measure_seed(row: Compared, path: Path, judge: Judge, train: ImageSet, test: ImageSet) -> SeedResult:
    """Measure the generator in the file `path`, and the recogniser beside it."""
    model, recogniser = Model(path), RecogniserModel(path)
    space = model.card.space
    classes, styles = recogniser.read(test.images)
    read, labels = classes.argmax(1), test.labels.numpy()
    everything = np.concatenate([read, recogniser.read(train.images)[0].argmax(1)])
    every_label = np.concatenate([labels, train.labels.numpy()])
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
    sweeps = tuple(draw_sweep(model, style) for style in range(len(space.styles)))
    information, rand = measure_agreement(torch.from_numpy(read), test.labels)
    return SeedResult(
        row=row,
        space=space,
        read=matched_share(read, labels, len(test.classes)),
        information=information,
        rand=rand,
        read_all=matched_share(everything, every_label, len(test.classes)),
        kept=kept,
        slants=slants,
        sweeps=sweeps,
    )


def matched_share(codes: NDArray[np.intp], labels: NDArray[np.intp], count: int) -> float:
    """The share of images (N,) whose code is matched to their label: one code a label, as well as possible (Kuhn 1955)."""
    table = np.zeros((max(count, int(codes.max()) + 1), count))
    np.add.at(table, (codes, labels), 1)
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum() / len(codes))


def measure_agreement(codes: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """The normalised mutual information and the adjusted Rand index of codes (N,) and labels (N,)."""
    with torch.sparse.check_sparse_tensor_invariants(enable=False):  # type: ignore[no-untyped-call]  # else torch warns
        return normalized_mutual_info_score(codes, labels).item(), adjusted_rand_score(codes, labels).item()


def draw_sweep(model: Model, style: int) -> NDArray[np.uint8]:
    """Images (classes, STEPS, H, W, channels). Within a row, the style code alone moves."""
    space = model.card.space
    count, code = len(space.classes), space.styles[style]
    noise = np.repeat(draw_noise(space, SEED, 0, count), STEPS, 0)
    styles = np.repeat(draw_styles(space, SEED, 0, count), STEPS, 0)
    styles[:, style] = np.tile(np.linspace(code.low, code.high, STEPS, dtype=np.float32), count)
    images = model.generate(Codes(noise, space.one_hot(np.repeat(np.arange(count), STEPS)), styles), BATCH)
    return images.reshape(count, STEPS, *images.shape[1:])


def save_page(path: Path, runs: list[SeedResult]) -> None:
    """Write Markdown with a table of runs and one of their style codes for each data set, and pictures of sweeps."""
    lines = ["# The codes of the InfoGAN", "", *INTRODUCTION]
    for data in data_names([run.row for run in runs]):
        rows = [run for run in runs if run.row.config.data == data]
        lines += ["", f"## {data}", "", *_accuracies(rows), "", *_styles(rows), ""]
        lines += [f"![Sweeps of the style codes on {data}]({picture_path('sweeps', data)})"]
        with replacing(path.parent / picture_path("sweeps", data)) as written:
            draw_sheet(rows[0]).save(written, optimize=True)
    write_text(path, "\n".join(lines) + "\n")


INTRODUCTION = (
    "`faussaire seeds` writes this page. Training uses no label, and no run is left out because of its figures. *Drawn* is the share of 10,000 drawn",
    "images that the judge gives the label of their code; codes are matched to labels on other images. *Read* is the share of the real test images whose label is that of the",
    "code that the recogniser reads, *NMI* and *ARI* are the normalised mutual information and the adjusted Rand index of these codes and the labels, and *read of all* is the share among all real images,",
    "those of training too, as papers on clustering report it. *Kept*: of 1,000 real test images, the codes are read and an image is drawn from them; the share that keeps its label, by the judge.",
    "*Slants* is the correlation of the slant before and after. Beside each FID stands that of real training images. A picture has a column for each style code and a row for each class code.",
)


def _accuracies(runs: list[SeedResult]) -> Iterable[str]:
    yield f"Judge: {runs[0].row.evaluation.judge}."
    yield ""
    yield "| network | seed | drawn | read | NMI | ARI | read of all | kept | slants | FID | FID of real images | seconds |"
    yield "| --- " * 12 + "|"
    for run in runs:
        config, training, measured = run.row.config, run.row.training, run.row.evaluation
        yield (
            f"| {config.network} | {config.seed} | {run.drawn:.2%} | {run.read:.2%} | {run.information:.3f} | {run.rand:.3f} "
            f"| {run.read_all:.2%} | {run.kept:.1%} | {run.slants:.2f} "
            f"| {measured.drawn['fid']:.2f} | {measured.real['fid']:.2f} | {training.seconds:,.0f} ({training.device}) |"
        )
    for network in dict.fromkeys(run.row.config.network for run in runs):
        alike = [run for run in runs if run.row.config.network == network]
        if len(alike) > 1:
            shares = ([run.drawn for run in alike], [run.read for run in alike], [run.read_all for run in alike])
            drawn, read, read_all = map(show_spread, shares)
            information, rand = (
                f"{mean(some):.3f}" for some in ([r.information for r in alike], [r.rand for r in alike])
            )
            yield f"| {network} | mean of {len(alike)} | {drawn} | {read} | {information} | {rand} | {read_all} | | | | | |"


def _styles(runs: list[SeedResult]) -> Iterable[str]:
    yield "| network | seed | style code | moves | Spearman's rho | R2 of an independent regressor | range |"
    yield "| --- " * 7 + "|"
    for run in runs:
        for code in run.space.styles:
            config, reach = run.row.config, f"{code.low:g} to {code.high:g}"
            yield f"| {config.network} | {config.seed} | {code.name} | {code.effect or DASH} | {_figure(code.rho)} | {_figure(code.r2)} | {reach} |"


def _figure(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"


def draw_sheet(run: SeedResult) -> Image.Image:
    """The sweeps side by side, each below its title."""
    strips = [tile(images.reshape(-1, *images.shape[2:]), STEPS) for images in run.sweeps]
    height, width = (SCALE * side for side in strips[0].shape[:2])
    gap = LABEL
    whole = Image.new("RGB", (len(strips) * (width + gap) - gap, LABEL + height), "black")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for place, (strip, code) in enumerate(zip(strips, run.space.styles, strict=True)):
        left = place * (width + gap)
        title = f"{code.name}, from {code.low:g} to {code.high:g}"
        draw.text((left + width // 2, LABEL // 2), title, fill="white", font=font, anchor="mm")
        whole.paste(to_picture(strip, SCALE), (left, LABEL))
    return whole
