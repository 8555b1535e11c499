"""Which class each code of an unsupervised generator stands for."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from latent import ClassCode, LatentSpace
from training.loop.pictures import to_uint8
from training.measures.judge import Judge
from training.networks.gan import Generator
from training.networks.latents import Latents, draw

IMAGES_PER_CODE = 1000
MATCHING_SEED = 1
PURITY_SEED = 2


@dataclass(frozen=True)
class Naming:
    """The class names in the order of the codes, each with its purity."""

    codes: tuple[ClassCode, ...]
    classes_present: int
    """How many classes the classifier finds in at least 2 % of images drawn with any code."""


def name_codes(generator: Generator, space: LatentSpace, classifier: Judge) -> Naming:
    """Match codes to classes one to one (Kuhn 1955), so that the most images are what their code is called.

    Codes that were trained by label have their names already. The purities are measured on other images than
    those the matching saw.
    """
    if tuple(code.name for code in space.classes) == classifier.classes:
        codes = classes = np.arange(len(space.classes))
    else:
        counts = confusion(generator, space, classifier, MATCHING_SEED)
        codes, classes = linear_sum_assignment(-counts.numpy())
    fresh = confusion(generator, space, classifier, PURITY_SEED)
    named = tuple(
        ClassCode(
            name=classifier.classes[label],
            purity=round(fresh[code, label].item() / IMAGES_PER_CODE, 4),
        )
        for code, label in zip(codes, classes, strict=True)
    )
    present = (fresh.sum(0) >= 0.02 * fresh.sum()).sum().item()
    return Naming(named, int(present))


@torch.no_grad()
def confusion(generator: Generator, space: LatentSpace, classifier: Judge, seed: int) -> Tensor:
    """How often the classifier gave each label to images of each code, of shape (codes, labels)."""
    device = next(generator.parameters()).device
    source = torch.Generator(device).manual_seed(seed)
    counts = torch.zeros(len(space.classes), len(classifier.classes))
    for code in range(len(space.classes)):
        drawn = draw(space, IMAGES_PER_CODE, source)
        fixed = torch.zeros_like(drawn.classes)
        fixed[:, code] = 1
        images = to_uint8(generator(*Latents(drawn.noise, fixed, drawn.styles)))
        labels = classifier.labels(images).cpu()
        counts[code] = torch.bincount(labels, minlength=len(classifier.classes)).float()
    return counts
