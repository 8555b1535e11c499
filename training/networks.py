"""The networks: a generator and a discriminator for each row of the table, and the recogniser of InfoGAN."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latent import ImageShape, LatentSpace

Layers = Callable[[int, ImageShape], nn.Sequential]
"""From the number of inputs and the image's shape to the layers."""


class Generator(nn.Module):
    """Codes to images in [-1, 1]."""

    def __init__(self, layers: nn.Sequential, shape: ImageShape) -> None:
        super().__init__()
        self.layers = layers
        self.shape = (shape.channels, shape.height, shape.width)

    def forward(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> (N, channels, H, W)"""
        image: Tensor = torch.tanh(self.layers(torch.cat([noise, classes, styles], 1)))
        return image.reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Images in [-1, 1] to one logit each."""

    def __init__(self, trunk: nn.Sequential, features: int, *, spectral: bool) -> None:
        super().__init__()
        self.trunk = trunk
        realness = nn.Linear(features, 1)
        self.realness = spectral_norm(realness) if spectral else realness

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> logits (N,)"""
        logits: Tensor = self.realness(self.trunk(image))
        return logits.squeeze(1)


class Recogniser(nn.Module):
    """Q of InfoGAN: the codes that an image was drawn with (Chen et al. 2016, section 4).

    It shares no layers with D, where the paper's does: its class codes learn from real images, and what tells
    classes apart is not what tells fakes apart. Nor do class and style codes share any.
    """

    def __init__(self, space: LatentSpace, shape: ImageShape) -> None:
        super().__init__()
        self.classes = _recogniser_layers(shape, len(space.classes))
        self.styles = _recogniser_layers(shape, len(space.styles))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, channels, H, W) -> class logits (N, C), means of the style codes (N, S)"""
        return self.classes(image), self.styles(image)


def _recogniser_layers(shape: ImageShape, outputs: int) -> nn.Sequential:
    height, width = _quarter(shape)
    return nn.Sequential(
        nn.Conv2d(shape.channels, 32, 4, 2, 1),
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.1),
        nn.Conv2d(32, 64, 4, 2, 1),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.1),
        nn.Flatten(),
        nn.Linear(64 * height * width, 128),
        nn.BatchNorm1d(128),
        nn.LeakyReLU(0.1),
        nn.Linear(128, outputs),
    )


@dataclass(frozen=True)
class Network:
    """One row: how to build a generator and the trunk of its discriminator."""

    generator: Layers
    trunk: Callable[[ImageShape], nn.Sequential]
    features: int
    spectral: bool = False


def _mlp_generator(inputs: int, shape: ImageShape) -> nn.Sequential:
    pixels = shape.height * shape.width * shape.channels
    return nn.Sequential(
        nn.Linear(inputs, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 1024),
        nn.LeakyReLU(0.2),
        nn.Linear(1024, pixels),
    )


def _mlp_trunk(shape: ImageShape) -> nn.Sequential:
    pixels = shape.height * shape.width * shape.channels
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, 1024),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.3),
        nn.Linear(1024, 512),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.3),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.3),
    )


def _dcgan_generator(inputs: int, shape: ImageShape) -> nn.Sequential:
    height, width = _quarter(shape)
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


def _dcgan_trunk(shape: ImageShape) -> nn.Sequential:
    height, width = _quarter(shape)
    return nn.Sequential(
        nn.Conv2d(shape.channels, 64, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(128 * height * width, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.LeakyReLU(0.2),
    ).apply(_normal_weights)


def _compact_generator(inputs: int, shape: ImageShape) -> nn.Sequential:
    height, width = _quarter(shape)
    return nn.Sequential(
        nn.Linear(inputs, 48 * height * width, bias=False),
        nn.BatchNorm1d(48 * height * width),
        nn.ReLU(),
        nn.Unflatten(1, (48, height, width)),
        nn.ConvTranspose2d(48, 24, 4, 2, 1, bias=False),  # (N, 24, H/2, W/2)
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.ConvTranspose2d(24, shape.channels, 4, 2, 1),  # (N, channels, H, W)
    )


def _compact_trunk(shape: ImageShape) -> nn.Sequential:
    height, width = _quarter(shape)
    return nn.Sequential(
        spectral_norm(nn.Conv2d(shape.channels, 32, 4, 2, 1)),
        nn.LeakyReLU(0.1),
        spectral_norm(nn.Conv2d(32, 64, 4, 2, 1)),
        nn.LeakyReLU(0.1),
        nn.Flatten(),
        spectral_norm(nn.Linear(64 * height * width, 256)),
        nn.LeakyReLU(0.1),
    )


def _quarter(shape: ImageShape) -> tuple[int, int]:
    """The size at which a generator's two doublings begin."""
    if shape.height % 4 or shape.width % 4:
        raise ValueError("height and width must be multiples of 4")
    return shape.height // 4, shape.width // 4


def _normal_weights(module: nn.Module) -> None:
    """N(0, 0.02) weights (Radford et al. 2016, section 4)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


NETWORKS: dict[str, Network] = {
    # The report's multilayer perceptron, after Goodfellow et al. 2014.
    "mlp": Network(_mlp_generator, _mlp_trunk, 256),
    # InfoGAN's own networks for MNIST (Chen et al. 2016, table 1), 6.6 M parameters in G.
    "dcgan": Network(_dcgan_generator, _dcgan_trunk, 1024),
    # 0.19 M parameters in G, for serving; D by spectral norm (Miyato et al. 2018) in place of batch norm.
    "compact": Network(_compact_generator, _compact_trunk, 256, spectral=True),
}


def build(
    name: str, space: LatentSpace, shape: ImageShape, device: torch.device
) -> tuple[Generator, Discriminator, Recogniser | None]:
    """The players of a run; a recogniser only where there are class or style codes to read."""
    network = NETWORKS[name]
    inputs = space.noise_size + len(space.classes) + len(space.styles)
    generator = Generator(network.generator(inputs, shape), shape).to(device)
    trunk = network.trunk(shape)
    discriminator = Discriminator(trunk, network.features, spectral=network.spectral).to(device)
    coded = bool(space.classes or space.styles)
    return generator, discriminator, Recogniser(space, shape).to(device) if coded else None
