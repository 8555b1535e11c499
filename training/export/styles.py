"""What each style code was learned to do: measured on sweeps, and told in the card."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from latent import LatentSpace, StyleCode
from training.datasets.sources import to_unit
from training.loop.pictures import to_uint8
from training.measures.judge import Judge
from training.measures.shape import SHAPES
from training.networks.gan import Generator
from training.networks.latents import Latents, draw

SWEEPS = 10
"""a class, each with noise and other styles of its own"""

POINTS = 11
"""values of the code along a sweep"""

NAMED = 0.9
"""the least |rho| for which a code is named by what it does"""

REACHES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""how far from 0 a code may be asked to go; it was trained as far as 1"""

KEPT = 0.95
"""the share of the images recognised at 0 that must still be, as far as a code may go"""

SEED = 9

REGRESSED = 1_500
HELD_OUT = 500
"""images a class that a regression learns from, and is measured on"""

RIDGE = 10.0
"""the penalty on the square of its weights, of pixels in [-1, 1]"""


@dataclass(frozen=True)
class Drawer:
    """A generator and the space that it draws from."""

    generator: Generator
    space: LatentSpace

    @torch.no_grad()
    def __call__(self, latents: Latents) -> Tensor:
        """uint8 (N, channels, H, W)"""
        return torch.cat([to_uint8(self.generator(*part)) for part in _parts(latents)])

    def sweep(self, style: int, values: NDArray[np.float64]) -> Tensor:
        """Images (classes * SWEEPS, values, channels, H, W): along the second axis the code alone differs."""
        lines = max(len(self.space.classes), 1) * SWEEPS
        noise, classes, styles = draw(self.space, lines, torch.Generator().manual_seed(SEED))
        if self.space.classes:
            classes = torch.eye(len(self.space.classes)).repeat_interleave(SWEEPS, 0)
        points = len(values)
        styles = styles.repeat_interleave(points, 0)
        styles[:, style] = torch.from_numpy(values).float().repeat(lines)
        images = self(Latents(noise.repeat_interleave(points, 0), classes.repeat_interleave(points, 0), styles))
        return images.reshape(lines, points, *images.shape[1:])


def measured(drawer: Drawer, judge: Judge) -> tuple[StyleCode, ...]:
    """The space's style codes with their names, effects and ranges; its class codes are named already."""
    read = regressed(drawer)
    codes: list[StyleCode] = []
    for style, code in enumerate(drawer.space.styles):
        low, high = reach(drawer, style, judge)
        name, rho, effect = strongest(drawer, style, low, high)
        taken = abs(rho) < NAMED or name in {other.name for other in codes}
        found = {"low": low, "high": high, "rho": round(rho, 4), "r2": round(read[style], 4), "effect": effect}
        codes.append(code.model_copy(update=found | ({} if taken else {"name": name})))
    return tuple(codes)


def strongest(drawer: Drawer, style: int, low: float, high: float) -> tuple[str, float, str]:
    """What the code moves most steadily: its name, the mean over sweeps of Spearman's rho, and from where to where."""
    values = np.linspace(low, high, POINTS)
    images = drawer.sweep(style, values)
    lines = len(images)
    found: dict[str, tuple[float, str]] = {}
    for name, shape in SHAPES.items():
        readings = shape(images.flatten(0, 1)).reshape(lines, POINTS)
        whole = readings[np.isfinite(readings).all(1)]
        moving = whole[np.ptp(whole, axis=1) > 0]
        if not len(moving):
            continue
        # A sweep in which nothing moves counts as no correlation.
        rho = sum(spearmanr(values, line).statistic for line in moving) / lines
        ends = whole.mean(0)
        found[name] = float(rho), f"{name} from {ends[0]:.3g} to {ends[-1]:.3g}"
    if not found:
        return "none", 0.0, "none that was measured"
    name = max(found, key=lambda key: abs(found[key][0]))
    return name, *found[name]


def reach(drawer: Drawer, style: int, judge: Judge) -> tuple[float, float]:
    """The range in which images stay recognisable: the code's own class, by the judge."""
    names = [code.name for code in drawer.space.classes]
    asked = torch.tensor([judge.classes.index(name) for name in names]).repeat_interleave(SWEEPS)
    values = np.array([0.0, *(-step for step in REACHES), *REACHES])
    images = drawer.sweep(style, values)
    labels = judge.labels(images.flatten(0, 1)).reshape(len(images), len(values))
    shares = (labels == asked[:, None]).double().mean(0).numpy()
    steady = shares[1:] >= KEPT * shares[0]
    below, above = np.split(steady, 2)
    return -_farthest(below), _farthest(above)


def _farthest(steady: NDArray[np.bool_]) -> float:
    """The last of REACHES before the first that is not steady; never less than the first."""
    kept = len(steady) if steady.all() else int(steady.argmin())
    return REACHES[max(kept, 1) - 1]


def regressed(drawer: Drawer) -> list[float]:
    """R2 of each style code on held-out images, read by ridge regressions of their pixels: one a class, and never Q."""
    source = torch.Generator().manual_seed(SEED)
    left = [_unread(drawer, kind, source) for kind in range(max(len(drawer.space.classes), 1))]
    return [1 - float(share) for share in np.mean(left, 0)]


def _unread(drawer: Drawer, kind: int, source: torch.Generator) -> NDArray[np.float64]:
    """The share of each style code's variance (S,) that is not read from images of one class."""
    latents = draw(drawer.space, REGRESSED + HELD_OUT, source)
    if drawer.space.classes:
        latents = latents._replace(classes=torch.eye(len(drawer.space.classes))[kind].expand_as(latents.classes))
    pixels = to_unit(drawer(latents)).flatten(1).double().numpy()
    known, unknown = np.split(np.hstack([pixels, np.ones((len(pixels), 1))]), [REGRESSED])
    wanted, held = np.split(latents.styles.double().numpy(), [REGRESSED])
    gram = known.T @ known + RIDGE * np.eye(known.shape[1])
    read = unknown @ np.linalg.solve(gram, known.T @ wanted)
    return np.asarray(((read - held) ** 2).mean(0) / held.var(0))


def _parts(latents: Latents) -> list[Latents]:
    return [Latents(*part) for part in zip(*(torch.split(part, 250) for part in latents), strict=True)]
