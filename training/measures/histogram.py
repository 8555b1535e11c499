"""Which classes images are of, by the judge."""

import torch
from torch import Tensor

from training.measures.judge import Judge
from training.measures.subject import Figure, Figures, Glance, Measure


def class_shares(probabilities: Tensor) -> Tensor:
    """The share of images whose most likely class is each: (N, C) -> (C,), float64."""
    labels = probabilities.argmax(1)
    return torch.bincount(labels, minlength=probabilities.shape[1]).double().cpu() / len(labels)


def divergence(shares: Tensor) -> float:
    """Kullback-Leibler divergence of a histogram (C,) from the even one, in nats, in [0, log C]."""
    present = shares[shares > 0]
    return (present * (present * len(shares)).log()).sum().item()


def name_shares(judge: Judge, shares: Tensor) -> dict[str, float]:
    """Shares (C,) by class name."""
    return dict(zip(judge.classes, shares.tolist(), strict=True))


def measure_classes(glance: Glance) -> Figures:
    confidence = glance.probabilities.max(1).values.mean().item()
    return {"class_kl": divergence(class_shares(glance.probabilities)), "confidence": confidence}


MEASURES = (
    Measure(
        place=60,
        stage="classes",
        figures=(
            Figure(
                "class_kl",
                "classes' distance from even shares, nats; 0 is even",
                column="class KL",
                cell="{class_kl:.3f}",
                less_is_better=True,
            ),
            Figure("confidence", "the judge's in its own answer", column="confidence", cell="{confidence:.3f}"),
        ),
        measure=measure_classes,
        judged=True,
        glance=measure_classes,
    ),
)
