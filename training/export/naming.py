"""Which class each class code stands for."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from latent import ClassCode
from training.measures.judge import Judge
from training.networks.drawer import Drawer
from training.networks.latents import draw

IMAGES_PER_CODE = 1000
MATCHING_SEED = 1
PURITY_SEED = 2


@dataclass(frozen=True)
class Naming:
    """The class names in the order of the codes, each with its purity."""

    codes: tuple[ClassCode, ...]
    classes_present: int
    """How many classes the judge finds in at least 2 % of the images of all codes."""


def name_codes(drawer: Drawer, judge: Judge) -> Naming:
    """Match codes to classes one to one (Kuhn 1955), so that as many images as possible are of their code's class.

    Codes that were trained by label have their names already. The purities are measured on other images than the
    matching.
    """
    if tuple(code.name for code in drawer.space.classes) == judge.classes:
        codes = classes = np.arange(len(drawer.space.classes))
    else:
        counts = confusion(drawer, judge, MATCHING_SEED)
        codes, classes = linear_sum_assignment(-counts.numpy())
    fresh = confusion(drawer, judge, PURITY_SEED)
    named = tuple(
        ClassCode(
            name=judge.classes[label],
            purity=round(fresh[code, label].item() / IMAGES_PER_CODE, 4),
        )
        for code, label in zip(codes, classes, strict=True)
    )
    present = (fresh.sum(0) >= 0.02 * fresh.sum()).sum().item()
    return Naming(named, int(present))


def confusion(drawer: Drawer, judge: Judge, seed: int) -> Tensor:
    """How often the judge gives each label to images of each code: (codes, labels)."""
    source, codes = drawer.source(seed), len(drawer.space.classes)
    counts = torch.zeros(codes, len(judge.classes))
    for code in range(codes):
        latents = draw(drawer.space, IMAGES_PER_CODE, source)
        fixed = torch.zeros_like(latents.classes)
        fixed[:, code] = 1
        labels = judge.labels(drawer(latents._replace(classes=fixed))).cpu()
        counts[code] = torch.bincount(labels, minlength=len(judge.classes)).float()
    return counts
