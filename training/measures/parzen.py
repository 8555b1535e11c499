"""The likelihood of real images under a window around each drawn one."""

import math

import torch
from torch import Tensor

SIGMAS = tuple(round(0.1 * 1.15**step, 4) for step in range(12))
"""widths tried, of pixels in [0, 1]"""

ROWS = 250


def log_likelihood(drawn: Tensor, validation: Tensor, test: Tensor) -> tuple[float, float]:
    """Mean of the test images' log-likelihood in nats, and the width of the Gaussian windows.

    All are uint8 (N, channels, H, W). The width is the likeliest for the validation images (Goodfellow et al. 2014,
    section 5; Breuleux et al. 2011). High figures need not mean good images (Theis et al. 2016), which is why
    there are other measures.
    """
    centres, held_out = _pixels(drawn), _pixels(validation)
    sigma = max(SIGMAS, key=lambda sigma: _mean(centres, held_out, sigma))
    return _mean(centres, _pixels(test), sigma), sigma


def _mean(centres: Tensor, points: Tensor, sigma: float) -> float:
    count, size = centres.shape
    scale = math.log(count) + size / 2 * math.log(2 * math.pi * sigma**2)
    parts = []
    for rows in torch.split(points, ROWS):
        squares = torch.cdist(rows, centres).square()  # (rows, N)
        parts.append(torch.logsumexp(-squares / (2 * sigma**2), 1) - scale)
    return torch.cat(parts).mean().item()


def _pixels(images: Tensor) -> Tensor:
    """(N, channels * H * W) in [0, 1]"""
    return images.flatten(1).float() / 255
