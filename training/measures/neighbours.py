"""Whether drawn images are copies of training images."""

import torch
from torch import Tensor

from training.measures.subject import Figure, Figures, Measure, Subject

ROWS = 200


def nearest(images: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of each image to its nearest real one, and that one's row; both of shape (N,).

    Images are uint8 (N, channels, H, W); distances are root mean squares of pixels in [0, 1].
    """
    points, others = (some.flatten(1).float() / 255 for some in (images, real))
    found = [torch.cdist(rows, others).min(1) for rows in torch.split(points, ROWS)]
    distances = torch.cat([part.values for part in found]) / points.shape[1] ** 0.5
    return distances, torch.cat([part.indices for part in found])


IMAGES = 1_000
RARE = 0.01
"""This share of real images is nearer to a training image than the distance that counts as a copy."""


def measure_copies(subject: Subject) -> Figures:
    known = subject.real.known.images
    usual, distances = (nearest(images[:IMAGES], known)[0] for images in (subject.real.posing.images, subject.images))
    copies = (distances < usual.quantile(RARE)).float().mean().item()
    return {"nearest": distances.median().item(), "copies": copies}


MEASURES = (
    Measure(
        place=80,
        stage="nearest training images",
        figures=(
            Figure("nearest", "median distance to a training image; far below real is copying"),
            Figure("copies", "nearer to a training image than 99 % of real ones are"),
        ),
        measure=measure_copies,
    ),
)
