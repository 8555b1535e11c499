"""The likelihood of real images under a window around each drawn one."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.measures.subject import Figure, Figures, Measure, Subject

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
    centres = _pixels(drawn)
    near = _squares(_pixels(validation), centres)
    sigma = max(SIGMAS, key=lambda sigma: _each(near, sigma, centres.shape[1]).mean().item())
    found = _each(_squares(_pixels(test), centres), sigma, centres.shape[1])
    return Likelihood(found.mean().item(), found.std().item() / len(found) ** 0.5, sigma)


def _squares(points: Tensor, centres: Tensor) -> Tensor:
    """Squared distances (M, N)."""
    return torch.cat([torch.cdist(rows, centres).square() for rows in torch.split(points, ROWS)])


def _each(squares: Tensor, sigma: float, size: int) -> Tensor:
    """The log-likelihood of each point of `size` pixels, of shape (M,)."""
    scale = math.log(squares.shape[1]) + size / 2 * math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(-squares / (2 * sigma**2), 1) - scale


def _pixels(images: Tensor) -> Tensor:
    """(N, channels * H * W) in [0, 1]"""
    return images.flatten(1).float() / 255


VALIDATION_IMAGES = 1_000
TESTED_IMAGES = 2_000


def measure_likelihood(subject: Subject) -> Figures:
    validation, test = subject.real.known.images[:VALIDATION_IMAGES], subject.test_images[:TESTED_IMAGES]
    found = log_likelihood(subject.images, validation, test)
    return {"log_likelihood": found.mean, "log_likelihood_error": found.error, "sigma": found.sigma}


MEASURES = (
    Measure(
        place=50,
        stage="likelihood",
        figures=(
            Figure(
                "log_likelihood",
                "Parzen windows, nats (standard error {log_likelihood_error:.1f}); higher is better",
                column="Parzen, nats",
                cell="{log_likelihood:.0f} \N{PLUS-MINUS SIGN} {log_likelihood_error:.0f}",
            ),
            Figure("log_likelihood_error"),
            Figure("sigma"),
        ),
        measure=measure_likelihood,
    ),
)
