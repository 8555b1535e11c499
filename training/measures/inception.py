"""The distance by which most papers measure: of Inception's features."""

from pathlib import Path

import torch
from torch import Tensor
from torchmetrics.image.fid import NoTrainInceptionV3

from training.errors import WeightsUnavailable
from training.measures.distances import frechet
from training.measures.subject import Figure, Figures, Measure, Subject

FEATURES = 2048
ROWS = 50


class Inception:
    """Inception v3 as Heusel et al. 2017 used it, in torch-fidelity's conversion. Raises WeightsUnavailable."""

    def __init__(self, weights: Path | None, device: torch.device) -> None:
        """Without a file, the weights are downloaded."""
        path = None if weights is None else str(weights)
        try:
            with torch.random.fork_rng(devices=[]):  # the layers are drawn at random before the weights are loaded
                self._network = NoTrainInceptionV3("inception-v3-compat", [str(FEATURES)], path).to(device)
        except Exception as error:  # a download, torch.load and layers that do not fit raise anything
            where = "the download failed" if weights is None else f"{weights} does not hold them"
            raise WeightsUnavailable(
                f"no Inception weights: {where}; give torch-fidelity's weights-inception-2015-12-05-6726825d.pth "
                "with --inception FILE"
            ) from error
        self._device = device

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """uint8 (N, channels, H, W) -> (N, 2048) on the CPU; grey images in three equal channels."""
        colour = images.expand(-1, 3, -1, -1)
        return torch.cat([self._network(rows.to(self._device)).cpu() for rows in torch.split(colour, ROWS)])


def measure_inception(subject: Subject) -> Figures:
    if subject.inception is None:
        return {}
    real, drawn = (subject.inception.features(images) for images in (subject.test_images, subject.images))
    return {"inception_fid": frechet(real, drawn)}


MEASURES = (
    Measure(
        place=30,
        stage="Frechet distance of Inception's features",
        figures=(Figure("inception_fid", "Frechet distance of Inception's features; lower is better"),),
        measure=measure_inception,
    ),
)
