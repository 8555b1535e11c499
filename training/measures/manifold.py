"""Fidelity and diversity apart: which images of one cloud lie where the other cloud is."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from training.measures.subject import Figure, Figures, Glance, Measure

NEIGHBOURS = 5
ROWS = 500
"""Rows of the matrix of distances that are in memory at a time."""


@dataclass(frozen=True)
class Manifold:
    precision: float
    """Share of drawn images inside the real manifold (Kynkaanniemi et al. 2019, equation 2)."""
    recall: float
    """Share of real images inside the drawn manifold (the same)."""
    density: float
    """How many real neighbourhoods hold a drawn image, against k (Naeem et al. 2020, equation 3); may exceed 1."""
    coverage: float
    """Share of real neighbourhoods that hold a drawn image (Naeem et al. 2020, equation 4)."""


def manifold(real: Tensor, drawn: Tensor) -> Manifold:
    """From features (N, F) and (M, F)."""
    real_radii, drawn_radii = _radii(real), _radii(drawn)
    inside_real = torch.zeros(len(drawn))  # real neighbourhoods around each drawn image
    inside_drawn = torch.zeros(len(real), dtype=torch.bool)
    covered = torch.zeros(len(real), dtype=torch.bool)
    for start in range(0, len(real), ROWS):
        rows = slice(start, start + ROWS)
        distances = torch.cdist(real[rows], drawn)  # (rows, M)
        near = distances <= real_radii[rows, None]
        inside_real += near.sum(0)
        covered[rows] = near.any(1)
        inside_drawn[rows] = (distances <= drawn_radii).any(1)
    return Manifold(
        precision=(inside_real > 0).float().mean().item(),
        recall=inside_drawn.float().mean().item(),
        density=inside_real.mean().item() / _neighbours(real),
        coverage=covered.float().mean().item(),
    )


def _neighbours(points: Tensor) -> int:
    return min(NEIGHBOURS, len(points) - 1)


def _radii(points: Tensor) -> Tensor:
    """The distance of each point (N, F) to its k-th neighbour, not counting the point itself."""
    k = _neighbours(points) + 1
    return torch.cat([torch.cdist(rows, points).kthvalue(k, 1).values for rows in torch.split(points, ROWS)])


MANIFOLD_IMAGES = 5_000
"""The most images that an evaluation compares: each with each."""


def measure_manifold(glance: Glance) -> Figures:
    return asdict(manifold(glance.test_features[:MANIFOLD_IMAGES], glance.features[:MANIFOLD_IMAGES]))


MEASURES = (
    Measure(
        place=40,
        stage="precision, recall, density, coverage",
        figures=(
            Figure("precision", "images that look real; higher is better", column="precision", cell="{precision:.3f}"),
            Figure("recall", "real variety that is drawn; higher is better", column="recall", cell="{recall:.3f}"),
            Figure("density", "how deep in the real manifold; 1 is real", column="density", cell="{density:.3f}"),
            Figure(
                "coverage",
                "real neighbourhoods that are drawn; higher is better",
                column="coverage",
                cell="{coverage:.3f}",
            ),
        ),
        measure=measure_manifold,
        judged=True,
        glance=measure_manifold,
    ),
)
