"""Q: the networks that read codes back from images."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from latent import ImageShape, LatentSpace
from training.networks.gan import quarter

MAPS = 64
FEATURES = 128

BLUR = 1 / 11
"""of the image's height: the standard deviation of the blur through which style codes see"""


class ClassRecogniser(nn.Module):
    """Images to class codes."""

    def __init__(self, shape: ImageShape, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_maps(shape), *_head(shape, classes))

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> class logits (N, C)"""
        logits: Tensor = self.layers(image)
        return logits

    def read(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> class codes (N,)"""
        codes: Tensor = self(image).argmax(1)
        return codes


class StyleRecogniser(nn.Module):
    """Images and their classes to style codes: how far an image lies from the mean of its class along the directions in
    which real images of one class, seen blurred, differ most: the leading principal components.

    Pixels of thin strokes jump from dark to bright as a stroke leans, and blurred ones move with it: of MNIST the
    directions are thickness and slant. They are the same for all classes, so that a code means the same in each. Q is
    to learn its own (Chen et al. 2016), and when it did, it mixed them, or took others in each class.
    """

    def __init__(self, shape: ImageShape, space: LatentSpace) -> None:
        super().__init__()
        self.register_buffer("directions", torch.zeros(shape.channels * shape.height * shape.width, len(space.styles)))
        self.register_buffer("means", torch.zeros(len(space.classes), len(space.styles)))
        self.directions: Tensor
        """(pixels, S), so scaled that real images have the codes' variance, which is 1/3 over [-1, 1]"""
        self.means: Tensor
        """(C, S), of each class along them"""

    def forward(self, image: Tensor, classes: Tensor) -> Tensor:
        """(N, channels, H, W), (N, C) -> (N, S)"""
        return image.flatten(1) @ self.directions - classes @ self.means

    @torch.no_grad()
    def fit(self, images: Tensor, classes: Tensor) -> None:
        """Fit to real images (N, channels, H, W) and their classes, one-hot (N, C)."""
        pixels = _blurred(images).flatten(1)
        means = classes.T @ pixels / classes.sum(0).clamp_min(1)[:, None]  # (C, pixels)
        within = pixels - classes @ means
        variances, components = torch.linalg.eigh((within.T @ within).double() / len(pixels))  # rising
        leading = components[:, -self.directions.shape[1] :].flip(1).float()
        # A component is one up to its sign.
        leading = leading * leading.gather(0, leading.abs().argmax(0, keepdim=True)).sign()
        spread = variances[-self.directions.shape[1] :].flip(0).clamp_min(1e-12).sqrt().float()
        scaled = leading / (spread * 3**0.5)
        self.means.copy_(means @ scaled)
        # A blur is symmetric: that of an image along a direction is the image along the blurred direction.
        self.directions.copy_(_blurred(scaled.T.reshape(-1, *images.shape[1:])).flatten(1).T)


class Recogniser(nn.Module):
    """Q of InfoGAN and the classifier of ACGAN: the codes that an image was drawn with.

    (Chen et al. 2016, section 4; Odena et al. 2017, section 3.) It shares no layers with D, where the papers'
    do: its class codes learn from real images, and what tells classes apart is not what tells fakes apart.
    """

    def __init__(self, space: LatentSpace, shape: ImageShape) -> None:
        super().__init__()
        self.classes = ClassRecogniser(shape, len(space.classes))
        self.styles = StyleRecogniser(shape, space) if space.styles else None

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, channels, H, W) -> class logits (N, C), means of the style codes (N, S)"""
        logits = self.classes(image)
        if self.styles is None:
            return logits, image.new_zeros(len(image), 0)
        # Which class it is may tell of a style; a style is to change no class.
        return logits, self.styles(image, logits.detach().softmax(1))


def _blurred(images: Tensor) -> Tensor:
    """Blur images (N, channels, H, W) with a Gaussian."""
    spread = BLUR * images.shape[2]
    reach = torch.arange(-math.ceil(3 * spread), math.ceil(3 * spread) + 1, device=images.device)
    weights = (-(reach**2) / (2 * spread**2)).exp()
    weights = weights / weights.sum()
    channels, half = images.shape[1], len(reach) // 2
    rows = weights.expand(channels, 1, 1, -1)
    across = conv2d(images, rows, padding=(0, half), groups=channels)
    return conv2d(across, rows.mT, padding=(half, 0), groups=channels)


def _maps(shape: ImageShape) -> nn.Sequential:
    """Build the layers from images to maps (N, MAPS, H/4, W/4)."""
    return nn.Sequential(
        nn.Conv2d(shape.channels, MAPS // 2, 4, 2, 1),
        nn.BatchNorm2d(MAPS // 2),
        nn.LeakyReLU(0.1),
        nn.Conv2d(MAPS // 2, MAPS, 4, 2, 1),
        nn.BatchNorm2d(MAPS),
        nn.LeakyReLU(0.1),
    )


def _head(shape: ImageShape, classes: int) -> nn.Sequential:
    """Build the layers from maps to class logits (N, C)."""
    down, across = quarter(shape)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(MAPS * down * across, FEATURES),
        nn.BatchNorm1d(FEATURES),
        nn.LeakyReLU(0.1),
        nn.Linear(FEATURES, classes),
    )
