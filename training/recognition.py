"""Q: the networks that read codes back from images."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from latent import ImageShape, LatentSpace
from training.networks import quarter

FEATURES = 128
"""that class codes are read from"""


class ClassRecogniser(nn.Module):
    """Images to class codes, by several heads over one trunk: the head with the most information speaks.

    A head may take two classes for one, and stay so; what it tells of an image is less than what the others do.
    """

    def __init__(self, shape: ImageShape, classes: int, heads: int) -> None:
        super().__init__()
        self.trunk = _recogniser_trunk(shape)
        self.heads = nn.Linear(FEATURES, heads * classes)
        self.register_buffer("information", torch.zeros(heads))
        self.information: Tensor
        """of each head, in nats, a mean over the last steps"""
        self.size = (heads, classes)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> class logits (N, C)"""
        return linear(self.trunk(image), *self.speaking())

    def speaking(self) -> tuple[Tensor, Tensor]:
        """The weights (C, FEATURES) and biases (C,) of the head with the most information."""
        best = self.information.argmax(keepdim=True)
        weights, biases = (part.reshape(*self.size, -1).index_select(0, best)[0] for part in self.heads.parameters())
        return weights, biases[:, 0]

    def by_each(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> class logits (heads, N, C)"""
        logits: Tensor = self.heads(self.trunk(image))
        return logits.reshape(-1, *self.size).transpose(0, 1)


class StyleRecogniser(nn.Module):
    """Images and their classes to style codes: how far an image lies from the mean of its class along the directions in
    which real images of one class differ most, the leading principal components of the pixels.

    The directions are the same for all classes, so that a code means the same in each; of MNIST they are slant and
    thickness. Q is to learn its own (Chen et al. 2016), and when it did, it mixed them, or took others in each class.
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
        """To real images (N, channels, H, W) and their classes, one-hot (N, C)."""
        pixels = images.flatten(1)
        means = classes.T @ pixels / classes.sum(0).clamp_min(1)[:, None]  # (C, pixels)
        within = pixels - classes @ means
        variances, components = torch.linalg.eigh(within.T @ within / len(pixels))  # by rising variance
        leading = components[:, -self.directions.shape[1] :].flip(1)
        # A component is one up to its sign.
        leading = leading * leading.gather(0, leading.abs().argmax(0, keepdim=True)).sign()
        spread = variances[-self.directions.shape[1] :].flip(0).clamp_min(1e-12).sqrt()
        self.directions.copy_(leading / (spread * 3**0.5))
        self.means.copy_(means @ self.directions)


class Recogniser(nn.Module):
    """Q of InfoGAN and the classifier of ACGAN: the codes that an image was drawn with.

    (Chen et al. 2016, section 4; Odena et al. 2017, section 3.) It shares no layers with D, where the papers'
    do: its class codes learn from real images, and what tells classes apart is not what tells fakes apart.
    """

    def __init__(self, space: LatentSpace, shape: ImageShape, heads: int = 1) -> None:
        super().__init__()
        self.classes = ClassRecogniser(shape, len(space.classes), heads)
        self.styles = StyleRecogniser(shape, space) if space.styles else None

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, channels, H, W) -> class logits (N, C), means of the style codes (N, S)"""
        logits = self.classes(image)
        if self.styles is None:
            return logits, image.new_zeros(len(image), 0)
        # Which class it is may tell of a style; a style is to change no class.
        return logits, self.styles(image, logits.detach().softmax(1))


def _recogniser_trunk(shape: ImageShape) -> nn.Sequential:
    """To features (N, FEATURES)."""
    down, across = quarter(shape)
    return nn.Sequential(
        nn.Conv2d(shape.channels, 32, 4, 2, 1),
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.1),
        nn.Conv2d(32, 64, 4, 2, 1),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.1),
        nn.Flatten(),
        nn.Linear(64 * down * across, FEATURES),
        nn.BatchNorm1d(FEATURES),
        nn.LeakyReLU(0.1),
    )
