"""The networks: a generator and the trunk of its opponent for each row of the table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from latent import ImageShape, LatentSpace
from training.networks.spectral import SpectralConv2d, SpectralLinear

Layers = Callable[[int, ImageShape], nn.Sequential]
"""From the number of inputs and the image's shape to the layers."""

Trunk = Callable[[ImageShape, float], nn.Sequential]
"""From the image's shape and the share of dropped activations to layers that end in a row's features."""

CODE_SIZE = 64
"""of an auto-encoder"""


class Generator(nn.Module):
    """Maps noise and codes to images in [-1, 1]."""

    def __init__(self, layers: nn.Sequential, shape: ImageShape) -> None:
        super().__init__()
        self.layers = layers
        self.image = shape

    def forward(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> (N, channels, H, W)"""
        return torch.tanh(self._values(noise, classes, styles))

    def logits(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """Return the logits of the pixels over [0, 1]: (tanh x + 1) / 2 is the sigmoid of 2 x."""
        return 2 * self._values(noise, classes, styles)

    def _values(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        values: Tensor = self.layers(torch.cat([noise, classes, styles], 1))
        return values.reshape(-1, self.image.channels, self.image.height, self.image.width)


class Discriminator(nn.Module):
    """Maps images in [-1, 1], with their classes if it sees them, to one logit each.

    Classes are told by projection: each has a direction in the space of features (Miyato and Koyama 2018,
    equation 3). Joined to the features in a hidden layer (Mirza and Osindero 2014) they went unheard in an epoch.
    """

    def __init__(self, trunk: nn.Sequential, features: int, classes: int, *, spectral: bool) -> None:
        super().__init__()
        linear = SpectralLinear if spectral else nn.Linear
        self.trunk = trunk
        self.realness = linear(features, 1)
        self.directions = linear(classes, features, bias=False) if classes else None

    def forward(self, image: Tensor, classes: Tensor) -> Tensor:
        """(N, channels, H, W), (N, C) -> logits (N,)"""
        features = self.trunk(image)
        logits: Tensor = self.realness(features).squeeze(1)
        return logits if self.directions is None else logits + (self.directions(classes) * features).sum(1)


class AutoEncoder(nn.Module):
    """Maps images to their energy: the mean absolute error of a pixel after encoding and decoding."""

    def __init__(self, trunk: nn.Sequential, features: int, shape: ImageShape) -> None:
        super().__init__()
        self.layers = nn.Sequential(trunk, nn.Linear(features, CODE_SIZE), _energy_decoder(CODE_SIZE, shape), nn.Tanh())

    def forward(self, image: Tensor, classes: Tensor) -> Tensor:  # noqa: ARG002
        """(N, channels, H, W), (N, 0) -> energies (N,)"""
        energies: Tensor = (self.layers(image) - image).abs().flatten(1).mean(1)
        return energies


class Encoder(nn.Module):
    """Maps images and their classes to a Gaussian over the noise that may have drawn them (Sohn et al. 2015)."""

    def __init__(self, trunk: nn.Sequential, features: int, space: LatentSpace) -> None:
        super().__init__()
        self.trunk = trunk
        self.gaussian = nn.Linear(features + len(space.classes), 2 * space.noise_size)

    def forward(self, image: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """(N, channels, H, W), (N, C) -> means (N, Z), logarithms of variances (N, Z)"""
        mean, log_variance = self.gaussian(torch.cat([self.trunk(image), classes], 1)).chunk(2, 1)
        return mean, log_variance


@dataclass(frozen=True)
class Network:
    """One row: how to build a generator and the trunk of its opponent."""

    generator: Layers
    trunk: Trunk
    features: int
    spectral: bool = False
    """whether D has spectral norm"""
    batch_norm: bool = False
    """whether D has"""


def _mlp_generator(inputs: int, shape: ImageShape) -> nn.Sequential:
    """Build with batch norm: without it, G drew only one or three digits after three epochs of MNIST."""
    pixels = shape.height * shape.width * shape.channels
    return nn.Sequential(
        nn.Linear(inputs, 256, bias=False),
        nn.BatchNorm1d(256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 512, bias=False),
        nn.BatchNorm1d(512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.LeakyReLU(0.2),
        nn.Linear(1024, pixels),
    )


def _mlp_trunk(shape: ImageShape, dropout: float) -> nn.Sequential:
    pixels = shape.height * shape.width * shape.channels
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, 1024),
        nn.LeakyReLU(0.2),
        nn.Dropout(dropout),
        nn.Linear(1024, 512),
        nn.LeakyReLU(0.2),
        nn.Dropout(dropout),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
        nn.Dropout(dropout),
    )


def _dcgan_generator(inputs: int, shape: ImageShape) -> nn.Sequential:
    height, width = quarter(shape)
    return nn.Sequential(
        nn.Linear(inputs, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.ReLU(),
        nn.Linear(1024, 128 * height * width, bias=False),
        nn.BatchNorm1d(128 * height * width),
        nn.ReLU(),
        nn.Unflatten(1, (128, height, width)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),  # (N, 64, H/2, W/2)
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, shape.channels, 4, 2, 1),  # (N, channels, H, W)
    ).apply(_normal_weights)


def _dcgan_trunk(shape: ImageShape, dropout: float) -> nn.Sequential:
    height, width = quarter(shape)
    return nn.Sequential(
        nn.Conv2d(shape.channels, 64, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Dropout(dropout),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(128 * height * width, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.LeakyReLU(0.2),
        nn.Dropout(dropout),
    ).apply(_normal_weights)


def _small_generator(inputs: int, shape: ImageShape, first: int, second: int) -> nn.Sequential:
    """Build with this many maps before the first doubling and before the second."""
    height, width = quarter(shape)
    return nn.Sequential(
        nn.Linear(inputs, first * height * width, bias=False),
        nn.BatchNorm1d(first * height * width),
        nn.ReLU(),
        nn.Unflatten(1, (first, height, width)),
        nn.ConvTranspose2d(first, second, 4, 2, 1, bias=False),  # (N, second, H/2, W/2)
        nn.BatchNorm2d(second),
        nn.ReLU(),
        nn.ConvTranspose2d(second, shape.channels, 4, 2, 1),  # (N, channels, H, W)
    )


def _free_trunk(shape: ImageShape, dropout: float, *, spectral: bool = False) -> nn.Sequential:
    height, width = quarter(shape)
    conv, linear = (SpectralConv2d, SpectralLinear) if spectral else (nn.Conv2d, nn.Linear)
    return nn.Sequential(
        conv(shape.channels, 32, 4, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Dropout(dropout),
        conv(32, 64, 4, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Dropout(dropout),
        nn.Flatten(),
        linear(64 * height * width, 256),
        nn.LeakyReLU(0.1),
        nn.Dropout(dropout),
    )


def _energy_decoder(inputs: int, shape: ImageShape) -> nn.Sequential:
    """Build without batch norm: the error of one image must not depend on the others."""
    height, width = quarter(shape)
    return nn.Sequential(
        nn.Linear(inputs, 48 * height * width),
        nn.ReLU(),
        nn.Unflatten(1, (48, height, width)),
        nn.ConvTranspose2d(48, 24, 4, 2, 1),  # (N, 24, H/2, W/2)
        nn.ReLU(),
        nn.ConvTranspose2d(24, shape.channels, 4, 2, 1),  # (N, channels, H, W)
    )


def quarter(shape: ImageShape) -> tuple[int, int]:
    """Return a quarter of the size: a generator doubles it twice."""
    if shape.height % 4 or shape.width % 4:
        raise ValueError("height and width must be multiples of 4")
    return shape.height // 4, shape.width // 4


def _normal_weights(module: nn.Module) -> None:
    """N(0, 0.02) weights (Radford et al. 2016, section 4)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


_compact_trunk = partial(_free_trunk, spectral=True)
_compact_generator = partial(_small_generator, first=48, second=24)
_slim_generator = partial(_small_generator, first=56, second=16)
_wide_generator = partial(_small_generator, first=96, second=32)

NETWORKS: dict[str, Network] = {
    # The report's multilayer perceptron, after Goodfellow et al. 2014.
    "mlp": Network(_mlp_generator, _mlp_trunk, 256),
    # InfoGAN's own networks for MNIST (Chen et al. 2016, table 1), 6.6 M parameters in G.
    "dcgan": Network(_dcgan_generator, _dcgan_trunk, 1024, batch_norm=True),
    # 0.19 M parameters in G, for serving; D by spectral norm (Miyato et al. 2018) in place of batch norm.
    "compact": Network(_compact_generator, _compact_trunk, 256, spectral=True),
    # The same with nothing that bounds D, for objectives that bring their own.
    "compact-free": Network(_compact_generator, _free_trunk, 256),
    # Of compact's cost most is in its 24 maps before the last layer: with 16, and 56 before those, it is a fifth less.
    "slim": Network(_slim_generator, _compact_trunk, 256, spectral=True),
    # Twice compact's maps, for 1.9 times its cost: a classifier learns more from its images.
    "wide": Network(_wide_generator, _compact_trunk, 256, spectral=True),
    # InfoGAN's own G against the D of compact: what the small G is measured by.
    "paper": Network(_dcgan_generator, _compact_trunk, 256, spectral=True),
}
