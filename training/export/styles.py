"""What each style code does: measured on sweeps, and recorded in the card."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from latent import StyleCode
from training.datasets.images import to_unit
from training.measures.judge import Judge
from training.measures.shape import SHAPES
from training.networks.drawer import Drawer
from training.networks.latents import Latents, draw

SWEEPS = 10
"""Sweeps for each class, each with its own noise and other styles."""

POINTS = 11
"""Values of the code along a sweep."""

NAMED = 0.9
"""The least |rho| for which a code is named after its effect."""

REACHES = (1.0, 1.25, 1.5, 1.75, 2.0)
"""Distances from 0 that a range may reach. Training reaches the first, and a narrower range would lack its variety."""

KEPT = 0.95
"""Beyond that, this share of the images that the judge recognises at 0 must still be recognised."""

SEED = 9

REGRESSED = 1_500
HELD_OUT = 500
"""Images of each class that a regression learns from, and that it is measured on."""

RIDGE = 10.0
"""The penalty on the squares of its weights, for pixels in [-1, 1]."""


def sweep(drawer: Drawer, style: int, values: NDArray[np.float64]) -> Tensor:
    """Images (classes * SWEEPS, values, channels, H, W). Along the second axis, the style code alone differs."""
    space = drawer.space
    lines = max(len(space.classes), 1) * SWEEPS
    noise, classes, styles = draw(space, lines, drawer.source(SEED))
    if space.classes:
        classes = torch.eye(len(space.classes)).repeat_interleave(SWEEPS, 0)
    points = len(values)
    styles = styles.repeat_interleave(points, 0)
    styles[:, style] = torch.from_numpy(values).float().repeat(lines)
    images = drawer(Latents(noise.repeat_interleave(points, 0), classes.repeat_interleave(points, 0), styles))
    return images.reshape(lines, points, *images.shape[1:])


def measure_styles(drawer: Drawer, judge: Judge) -> tuple[StyleCode, ...]:
    """The style codes with their names, effects and ranges. The class codes must have their names."""
    shares = measure_readability(drawer)
    codes: list[StyleCode] = []
    for style, code in enumerate(drawer.space.styles):
        low, high = find_range(drawer, style, judge)
        name, rho, effect = find_effect(drawer, style, low, high)
        taken = abs(rho) < NAMED or name in {other.name for other in codes}
        found = {"low": low, "high": high, "rho": round(rho, 4), "r2": round(shares[style], 4), "effect": effect}
        codes.append(code.model_copy(update=found | ({} if taken else {"name": name})))
    return tuple(codes)


def find_effect(drawer: Drawer, style: int, low: float, high: float) -> tuple[str, float, str]:
    """The shape that a code moves most steadily: its name, Spearman's rho, and its values at both ends.

    Rho is a mean over sweeps.
    """
    values = np.linspace(low, high, POINTS)
    images = sweep(drawer, style, values)
    lines = len(images)
    found: dict[str, tuple[float, str]] = {}
    for name, shape in SHAPES.items():
        readings = shape(images.flatten(0, 1)).reshape(lines, POINTS)
        whole = readings[np.isfinite(readings).all(1)]
        moving = whole[np.ptp(whole, axis=1) > 0]
        if not len(moving):
            continue
        # A sweep in which nothing moves counts as a correlation of 0.
        rho = sum(spearmanr(values, line).statistic for line in moving) / lines
        ends = whole.mean(0)
        found[name] = float(rho), f"{name} from {ends[0]:.3g} to {ends[-1]:.3g}"
    if not found:
        return "none", 0.0, "no measured effect"
    name = max(found, key=lambda key: abs(found[key][0]))
    return name, *found[name]


def find_range(drawer: Drawer, style: int, judge: Judge) -> tuple[float, float]:
    """The range of a code: that of training, and beyond it as far as the judge still recognises the images' classes."""
    places = [judge.classes.index(code.name) if code.name in judge.classes else -1 for code in drawer.space.classes]
    asked = torch.tensor(places).repeat_interleave(SWEEPS)
    if not judge.able or not (asked >= 0).any():
        return -REACHES[0], REACHES[0]
    values = np.array([0.0, *(-step for step in REACHES), *REACHES])
    images, asked = sweep(drawer, style, values)[asked >= 0], asked[asked >= 0]
    labels = judge.labels(images.flatten(0, 1)).reshape(len(images), len(values))
    shares = (labels == asked[:, None]).double().mean(0).numpy()
    steady = shares[1:] >= KEPT * shares[0]
    below, above = np.split(steady, 2)
    return -_farthest(below), _farthest(above)


def _farthest(steady: NDArray[np.bool_]) -> float:
    """The last of REACHES before the first that is not steady; at least the first."""
    kept = len(steady) if steady.all() else int(steady.argmin())
    return REACHES[max(kept, 1) - 1]


def measure_readability(drawer: Drawer) -> list[float]:
    """R2 of each style code on held-out images, read from pixels by one ridge regression for each class, not by Q."""
    source = torch.Generator().manual_seed(SEED)
    left = [_unread(drawer, kind, source) for kind in range(max(len(drawer.space.classes), 1))]
    return [1 - float(share) for share in np.mean(left, 0)]


def _unread(drawer: Drawer, kind: int, source: torch.Generator) -> NDArray[np.float64]:
    """The share of each style code's variance (S,) that the regression cannot read from images of one class."""
    latents = draw(drawer.space, REGRESSED + HELD_OUT, source)
    if drawer.space.classes:
        latents = latents._replace(classes=torch.eye(len(drawer.space.classes))[kind].expand_as(latents.classes))
    pixels = to_unit(drawer(latents)).flatten(1).double().numpy()
    known, unknown = np.split(np.hstack([pixels, np.ones((len(pixels), 1))]), [REGRESSED])
    wanted, held = np.split(latents.styles.double().numpy(), [REGRESSED])
    gram = known.T @ known + RIDGE * np.eye(known.shape[1])
    read = unknown @ np.linalg.solve(gram, known.T @ wanted)
    return np.asarray(((read - held) ** 2).mean(0) / held.var(0))
