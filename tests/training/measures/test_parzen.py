import math
import statistics

import pytest
import torch
from torch import Tensor

from training.measures.parzen import SIGMAS, log_likelihood


def gaussian(point: Tensor, centre: Tensor, sigma: float) -> float:
    """The logarithm of its density, pixel by pixel."""
    pairs = zip(point.flatten().tolist(), centre.flatten().tolist(), strict=True)
    apart = [(p - c) / 255 / sigma for p, c in pairs]
    return math.fsum(-(z * z) / 2 - math.log(sigma * math.sqrt(2 * math.pi)) for z in apart)


def test_one_window_is_a_gaussian() -> None:
    centre = torch.full((1, 1, 2, 2), 100, dtype=torch.uint8)
    other = torch.tensor([100, 110, 90, 120], dtype=torch.uint8).reshape(1, 1, 2, 2)
    found = log_likelihood(centre, torch.cat([other, other]), torch.cat([other, other]))
    assert found.sigma == SIGMAS[0]  # the narrowest, since all are near
    assert found.mean == pytest.approx(gaussian(other, centre, found.sigma), rel=1e-4)
    assert found.error == pytest.approx(0, abs=1e-4)


def test_many_windows_are_their_mean_density() -> None:
    source = torch.Generator().manual_seed(0)
    centres = torch.randint(0, 256, (7, 1, 2, 2), generator=source, dtype=torch.uint8)
    points = torch.randint(0, 256, (5, 1, 2, 2), generator=source, dtype=torch.uint8)
    found = log_likelihood(centres, points, points)
    logs = []
    for point in points:
        densities = [math.exp(gaussian(point, centre, found.sigma)) for centre in centres]
        logs.append(math.log(sum(densities) / 7))
    assert found.mean == pytest.approx(statistics.mean(logs), rel=1e-4)
    assert found.error == pytest.approx(statistics.stdev(logs) / 5**0.5, rel=1e-3)
    assert found.sigma > SIGMAS[0]
