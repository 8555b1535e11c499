"""The likelihood of real images under a window around each drawn one."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SIGMAS = tuple(round(0.1 * 1.15**step, 4) for step in range(12))
"""widths tried, of pixels in [0, 1]"""

ROWS = 250


@dataclass(frozen=True)
class Likelihood:
    """Of the test images, in nats an image."""

    mean: float
    error: float
    """standard error of the mean"""
    sigma: float
    """width of the Gaussian windows, of pixels in [0, 1]"""


def log_likelihood(drawn: Tensor, validation: Tensor, test: Tensor) -> Likelihood:
    """How likely the test images are under a Gaussian window around each drawn one.

    All are uint8 (N, channels, H, W). The width is the likeliest for the validation images (Goodfellow et al. 2014,
    section 5; Breuleux et al. 2011). High figures need not mean good images (Theis et al. 2016), which is why
    there are other measures.
    """
    centres, held_out = _pixels(drawn), _pixels(validation)
    sigma = max(SIGMAS, key=lambda sigma: _each(centres, held_out, sigma).mean().item())
    found = _each(centres, _pixels(test), sigma)
    return Likelihood(found.mean().item(), found.std().item() / len(found) ** 0.5, sigma)


def _each(centres: Tensor, points: Tensor, sigma: float) -> Tensor:
    """The log-likelihood of each point, of shape (M,)."""
    count, size = centres.shape
    scale = math.log(count) + size / 2 * math.log(2 * math.pi * sigma**2)
    parts = []
    for rows in torch.split(points, ROWS):
        squares = torch.cdist(rows, centres).square()  # (rows, N)
        parts.append(torch.logsumexp(-squares / (2 * sigma**2), 1) - scale)
    return torch.cat(parts)


def _pixels(images: Tensor) -> Tensor:
    """(N, channels * H * W) in [0, 1]"""
    return images.flatten(1).float() / 255
