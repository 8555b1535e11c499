"""What a person would rather see than read: sample sheets and loss curves."""

from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from latent import LatentSpace
from training.files import replacing
from training.networks.gan import Generator
from training.networks.latents import grid

COLUMNS = 10
SHEET_SCALE = 2

CURVES = {
    "losses": ("loss_d", "loss_g"),
    "logit margin": ("margin",),
    "divergence of the classes drawn, nats": ("class_kl",),
    "gradient norms": ("gradient_d", "gradient_g"),
    "codes": ("loss_class", "loss_style", "loss_classifier", "information"),
}


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] to [0, 255], rounded to the nearest: the same arithmetic as the exported graph's."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@torch.no_grad()
def save_sheet(path: Path, generator: Generator, space: LatentSpace, seed: int) -> None:
    """Class codes down and the first style code across; rows of plain noise for a generator without codes."""
    device = next(generator.parameters()).device
    latents = grid(space, COLUMNS, torch.Generator(device).manual_seed(seed))
    images = to_uint8(generator(*latents)).permute(0, 2, 3, 1).cpu()  # (N, H, W, channels)
    rows, height, width, channels = len(images) // COLUMNS, *images.shape[1:]
    tiled = images.reshape(rows, COLUMNS, height, width, channels).permute(0, 2, 1, 3, 4)
    sheet = tiled.reshape(rows * height, COLUMNS * width, channels).numpy()
    picture = Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet)
    size = (picture.width * SHEET_SCALE, picture.height * SHEET_SCALE)
    with replacing(path) as beside:
        picture.resize(size, Image.Resampling.NEAREST).save(beside)


def save_curves(path: Path, stats: list[dict[str, float]]) -> None:
    """One panel a group of curves, over epochs."""
    panels = {title: [name for name in names if name in stats[-1]] for title, names in CURVES.items()}
    panels = {title: names for title, names in panels.items() if names}
    with mpl.rc_context({"axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(8, 2.5 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (title, names) in zip(axes, panels.items(), strict=True):
            for name in names:
                # A head start has no losses of G and D yet.
                rows = [row for row in stats if name in row]
                axis.plot([row["epoch"] for row in rows], [row[name] for row in rows], label=name)
            axis.set_title(title)
            axis.legend()
        axes[-1].set_xlabel("epoch")
        with replacing(path) as beside:
            figure.savefig(beside, dpi=100)
