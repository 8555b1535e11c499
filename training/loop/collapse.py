"""Whether a run has collapsed, by its statistics alone: a run that continues after a stop is judged the same."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from training.measures.histogram import class_shares, divergence, name_shares
from training.measures.judge import Judge
from training.networks.drawer import Drawer
from training.recipes.presets import OnCollapse

DRAWN = 250
"""images that one histogram is made of"""

DRAWN_SEED = 4

LOST = 0.4
"""A rise of the divergence over the healthiest stretch by this share of its greatest, log C, is a loss of classes."""

STRETCH = 5
"""readings whose median tells how healthy a run was: one lucky reading is no health"""

SPIKE = 30.0
"""times the median of a gradient's norm so far"""

HISTORY = 10
"""rows before which no spike can be told"""

IN_A_ROW = 3
"""readings that must agree, since a young run has bad moments that pass"""


@dataclass(frozen=True)
class Watch:
    """What to do after a collapse, and which judge tells the classes of drawn images."""

    on_collapse: OnCollapse = "rollback"
    judge: Judge | None = None
    say: Callable[[str], None] = print

    def histogram(self, drawer: Drawer) -> dict[str, float]:
        """Return each class's share of 250 images and the divergence from even shares; nothing if no judge can tell."""
        if self.judge is None or not self.judge.able:
            return {}
        drawer.generator.eval()
        images = drawer.draw(DRAWN, DRAWN_SEED)
        drawer.generator.train()
        shares = class_shares(self.judge.probabilities(images.to(self.judge.device)))
        named = {f"share_{name}": share for name, share in name_shares(self.judge, shares).items()}
        return {"class_kl": divergence(shares)} | named


def reason(rows: list[dict[str, float]]) -> str | None:
    """Say why the newest rows of `stats.jsonl` show a collapse, or return None."""
    return _classes_lost(rows) or _spike(rows, "gradient_d") or _spike(rows, "gradient_g")


def _classes_lost(rows: list[dict[str, float]]) -> str | None:
    readings = [row["class_kl"] for row in rows if "class_kl" in row]
    before, newest = readings[:-IN_A_ROW], readings[-IN_A_ROW:]
    if len(before) < STRETCH:
        return None
    healthiest = min(median(before[end - STRETCH : end]) for end in range(STRETCH, len(before) + 1))
    classes = sum(name.startswith("share_") for name in rows[-1])
    if min(newest) > healthiest + LOST * math.log(max(classes, 2)):
        return f"the classes drawn are {newest[-1]:.2f} nats from even, after {healthiest:.2f}"
    return None


def _spike(rows: list[dict[str, float]], name: str) -> str | None:
    readings = [row[name] for row in rows if name in row]
    before, newest = readings[:-IN_A_ROW], readings[-IN_A_ROW:]
    if len(before) >= HISTORY and min(newest) > SPIKE * median(before):
        return f"{name} is {newest[-1]:.3g}, after a median of {median(before):.3g}"
    return None
