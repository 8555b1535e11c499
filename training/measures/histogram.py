"""Which classes images are of, by the judge."""

import torch
from torch import Tensor

from training.measures.judge import Judge


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
