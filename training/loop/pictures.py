"""The pictures of a run: sample sheets and loss curves."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from training.files import replacing
from training.networks.drawer import Drawer
from training.networks.latents import grid
from training.sheets import tile, to_picture

COLUMNS = 10
SHEET_SCALE = 2

CURVES = {
    "losses": ("loss_d", "loss_g"),
    "logit margin": ("margin",),
    "divergence of the classes drawn, nats": ("class_kl",),
    "gradient norms": ("gradient_d", "gradient_g"),
    "codes": ("loss_class", "loss_style", "loss_classifier"),
}


def save_sheet(path: Path, drawer: Drawer, seed: int) -> None:
    """Save a sheet: class codes down, the first style code across. Without codes, rows of plain noise."""
    images = drawer(grid(drawer.space, COLUMNS, drawer.source(seed))).permute(0, 2, 3, 1)  # (N, H, W, channels)
    with replacing(path) as beside:
        to_picture(tile(images.cpu().numpy(), COLUMNS), SHEET_SCALE).save(beside)


def save_curves(path: Path, stats: list[dict[str, float]]) -> None:
    """Save the curves over epochs, one panel for each group."""
    panels = {title: [name for name in names if name in stats[-1]] for title, names in CURVES.items()}
    panels = {title: names for title, names in panels.items() if names}
    with mpl.rc_context({"axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(8, 2.5 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (title, names) in zip(axes, panels.items(), strict=True):
            for name in names:
                # A head start has no losses of G and D.
                rows = [row for row in stats if name in row]
                axis.plot([row["epoch"] for row in rows], [row[name] for row in rows], label=name)
            axis.set_title(title)
            axis.legend(loc="upper right")
        axes[-1].set_xlabel("epoch")
        with replacing(path) as beside:
            figure.savefig(beside, dpi=100)
