"""Which class each class code stands for."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from latent import ClassCode, Figure
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

    @property
    def purity(self) -> float:
        """Mean over the codes that stand for a class."""
        measured = [code.purity for code in self.codes if code.purity is not None]
        return sum(measured) / len(measured)


def name_codes(drawer: Drawer, judge: Judge) -> Naming:
    """Match codes to classes one to one (Kuhn 1955), so that as many images as possible are of their code's class.

    Codes that have the names of classes already keep them. If there are more codes than classes, those that are left
    keep their numbers. The purities are measured on other images than the matching.
    """
    names = [code.name for code in drawer.space.classes]
    if set(names) <= set(judge.classes):
        codes, classes = np.arange(len(names)), np.array([judge.classes.index(name) for name in names])
    else:
        counts = confusion(drawer, judge, MATCHING_SEED)
        codes, classes = linear_sum_assignment(-counts.numpy())
    fresh = confusion(drawer, judge, PURITY_SEED)
    labels = dict(zip(codes.tolist(), classes.tolist(), strict=True))
    named = tuple(
        ClassCode(name=judge.classes[labels[k]], purity=round(fresh[k, labels[k]].item() / IMAGES_PER_CODE, 4))
        if k in labels
        else code
        for k, code in enumerate(drawer.space.classes)
    )
    present = (fresh.sum(0) >= 0.02 * fresh.sum()).sum().item()
    return Naming(named, int(present))


def class_figures(naming: Naming, before: Drawer, judge: Judge, *, matched: bool) -> tuple[Figure, Figure, Figure]:
    """The figures of all classes together. `before` draws with the weights as they were before the rounding, and
    `matched` says whether nobody gave the codes their classes."""
    labels = {k: judge.classes.index(code.name) for k, code in enumerate(naming.codes) if code.purity is not None}
    agreed = confusion(before, judge, PURITY_SEED)[list(labels), list(labels.values())]
    how = ", codes matched to classes on other images" if matched else ""
    left = len(naming.codes) - len(labels)
    rest = f", without {left} of {len(naming.codes)} codes that stand for no class" if left else ""
    protocol = f"mean over codes of {IMAGES_PER_CODE} images each{how}{rest}; {judge.protocol()}"
    return (
        Figure(
            name="classes present",
            value=naming.classes_present,
            protocol=f"classes given to at least 2 % of images, all codes together; {judge.protocol()}",
        ),
        Figure(name="class purity", value=round(naming.purity, 4), protocol=protocol),
        Figure(
            name="class purity before rounding",
            value=round(agreed.mean().item() / IMAGES_PER_CODE, 4),
            protocol=protocol,
        ),
    )


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
