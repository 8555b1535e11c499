"""Distances between two clouds of features."""

import warnings

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from training.measures.subject import Figure, Figures, Glance, Measure

SUBSETS = 50
SUBSET_SIZE = 1000
SEED = 5


class Given(nn.Module):
    """Stands where torchmetrics has Inception: the features were computed already."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet(real: Tensor, drawn: Tensor) -> float:
    """Frechet distance of two Gaussians fitted to features (N, F) and (M, F); Heusel et al. 2017, equation 6."""
    metric = FrechetInceptionDistance(feature=Given(real.shape[1]))
    metric.update(real, real=True)
    metric.update(drawn, real=False)
    return float(metric.compute())


def kernel(real: Tensor, drawn: Tensor) -> float:
    """Squared maximum mean discrepancy by a cubic kernel, mean over subsets (Binkowski et al. 2018, section 4)."""
    size = min(SUBSET_SIZE, len(real), len(drawn))
    with warnings.catch_warnings():
        # It keeps all features in memory, which is 5 MB for 10,000.
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        metric = KernelInceptionDistance(feature=Given(real.shape[1]), subsets=SUBSETS, subset_size=size)
    metric.update(real, real=True)
    metric.update(drawn, real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        mean, _ = metric.compute()
    return float(mean)


def measure_frechet(glance: Glance) -> Figures:
    """Nothing for so few images that they span less than the features: their distance would be of chance."""
    images, features = min(glance.test_features.shape, glance.features.shape)
    if images <= features:
        return {}
    return {"fid": frechet(glance.test_features, glance.features)}


def measure_kernel(glance: Glance) -> Figures:
    return {"kid": kernel(glance.test_features, glance.features)}


MEASURES = (
    Measure(
        place=10,
        stage="Frechet distance",
        figures=(
            Figure(
                "fid",
                "Frechet distance of the judge's features; lower is better",
                column="FID",
                cell="{fid:.2f}",
                less_is_better=True,
            ),
        ),
        measure=measure_frechet,
        judged=True,
        glance=measure_frechet,
    ),
    Measure(
        place=20,
        stage="kernel distance",
        figures=(
            Figure(
                "kid",
                "kernel distance of the same features; lower is better",
                text="{:.5f}",
                column="KID",
                cell="{kid:.3f}",
                less_is_better=True,
            ),
        ),
        measure=measure_kernel,
        judged=True,
        glance=measure_kernel,
    ),
)
