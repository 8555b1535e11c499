"""Inception's features, by which most papers measure images."""

from pathlib import Path

import torch
from torch import Tensor
from torchmetrics.image.fid import NoTrainInceptionV3

from training.errors import WeightsUnavailable

FEATURES = 2048
ROWS = 50


class Inception:
    """Inception v3 as Heusel et al. 2017 used it, in torch-fidelity's conversion. Raises WeightsUnavailable."""

    def __init__(self, weights: Path | None, device: torch.device) -> None:
        """Weights are downloaded where no file is given."""
        path = None if weights is None else str(weights)
        try:
            with torch.random.fork_rng(devices=[]):  # its layers are drawn before they are filled
                self._network = NoTrainInceptionV3("inception-v3-compat", [str(FEATURES)], path).to(device)
        except Exception as error:  # of a download, of torch.load, of layers that do not fit
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
