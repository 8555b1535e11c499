"""The networks: a generator and a discriminator for each row of the table, and the recogniser of InfoGAN."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.parametrizations import spectral_norm

from latent import ImageShape, LatentSpace
from training.errors import Unfit, UnknownName
from training.objectives import EVIDENCE_BOUND, OBJECTIVES
from training.presets import TOLD, Codes

Layers = Callable[[int, ImageShape], nn.Sequential]
"""From the number of inputs and the image's shape to the layers."""

Trunk = Callable[[ImageShape, float], nn.Sequential]
"""From the image's shape and the share of dropped activations to layers that end in a row's features."""

CODE_SIZE = 64
"""of an auto-encoder"""

HEADS = 8
"""of the recogniser of classes that nobody labelled"""

FEATURES = 128
"""of the recogniser of classes"""


class Generator(nn.Module):
    """Noise and codes to images in [-1, 1]."""

    def __init__(self, layers: nn.Sequential, shape: ImageShape) -> None:
        super().__init__()
        self.layers = layers
        self.shape = (shape.channels, shape.height, shape.width)

    def forward(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> (N, channels, H, W)"""
        return torch.tanh(self._values(noise, classes, styles))

    def logits(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """The logits of the pixels over [0, 1]: (tanh x + 1) / 2 is the sigmoid of 2 x."""
        return 2 * self._values(noise, classes, styles)

    def _values(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        values: Tensor = self.layers(torch.cat([noise, classes, styles], 1))
        return values.reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Images in [-1, 1], and their classes where it is told them, to one logit each.

    Classes are told by projection: each has a direction in the space of features (Miyato and Koyama 2018,
    equation 3). Joined to the features in a hidden layer (Mirza and Osindero 2014) they went unheard in an epoch.
    """

    def __init__(self, trunk: nn.Sequential, features: int, classes: int, *, spectral: bool) -> None:
        super().__init__()
        bounded: Callable[[nn.Module], nn.Module] = spectral_norm if spectral else nn.Identity()
        self.trunk = trunk
        self.realness = bounded(nn.Linear(features, 1))
        self.directions = bounded(nn.Linear(classes, features, bias=False)) if classes else None

    def forward(self, image: Tensor, classes: Tensor) -> Tensor:
        """(N, channels, H, W), (N, C) -> logits (N,)"""
        features = self.trunk(image)
        logits: Tensor = self.realness(features).squeeze(1)
        return logits if self.directions is None else logits + (self.directions(classes) * features).sum(1)


class AutoEncoder(nn.Module):
    """Images to their energy: the mean absolute error of a pixel after coding and decoding."""

    def __init__(self, trunk: nn.Sequential, features: int, shape: ImageShape) -> None:
        super().__init__()
        self.layers = nn.Sequential(trunk, nn.Linear(features, CODE_SIZE), _energy_decoder(CODE_SIZE, shape), nn.Tanh())

    def forward(self, image: Tensor, classes: Tensor) -> Tensor:  # noqa: ARG002
        """(N, channels, H, W), (N, 0) -> energies (N,)"""
        energies: Tensor = (self.layers(image) - image).abs().flatten(1).mean(1)
        return energies


class Encoder(nn.Module):
    """Images and their classes to a Gaussian over the noise they may have come from (Sohn et al. 2015)."""

    def __init__(self, trunk: nn.Sequential, features: int, space: LatentSpace) -> None:
        super().__init__()
        self.trunk = trunk
        self.gaussian = nn.Linear(features + len(space.classes), 2 * space.noise_size)

    def forward(self, image: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """(N, channels, H, W), (N, C) -> means (N, Z), logarithms of variances (N, Z)"""
        mean, log_variance = self.gaussian(torch.cat([self.trunk(image), classes], 1)).chunk(2, 1)
        return mean, log_variance


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
    down, across = _quarter(shape)
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


@dataclass(frozen=True)
class Network:
    """One row: how to build a generator and the trunk of its opponent."""

    generator: Layers
    trunk: Trunk
    features: int
    spectral: bool = False


def _mlp_generator(inputs: int, shape: ImageShape) -> nn.Sequential:
    """With batch norm: without it, G drew one digit, or three, after three epochs of MNIST."""
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


def _dcgan_trunk(shape: ImageShape, dropout: float) -> nn.Sequential:
    height, width = _quarter(shape)
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


def _compact_trunk(shape: ImageShape, dropout: float) -> nn.Sequential:
    layers = _plain_trunk(shape, dropout)
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)
    return layers


def _plain_trunk(shape: ImageShape, dropout: float) -> nn.Sequential:
    height, width = _quarter(shape)
    return nn.Sequential(
        nn.Conv2d(shape.channels, 32, 4, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Dropout(dropout),
        nn.Conv2d(32, 64, 4, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(64 * height * width, 256),
        nn.LeakyReLU(0.1),
        nn.Dropout(dropout),
    )


def _energy_decoder(inputs: int, shape: ImageShape) -> nn.Sequential:
    """No batch norm: the error of one image must not depend on the others."""
    height, width = _quarter(shape)
    return nn.Sequential(
        nn.Linear(inputs, 48 * height * width),
        nn.ReLU(),
        nn.Unflatten(1, (48, height, width)),
        nn.ConvTranspose2d(48, 24, 4, 2, 1),  # (N, 24, H/2, W/2)
        nn.ReLU(),
        nn.ConvTranspose2d(24, shape.channels, 4, 2, 1),  # (N, channels, H, W)
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
    # The same with nothing that bounds D, for objectives that bring their own.
    "compact-free": Network(_compact_generator, _plain_trunk, 256),
    # InfoGAN's own G against the D of compact: what the small G is measured by.
    "paper": Network(_dcgan_generator, _compact_trunk, 256, spectral=True),
}


@dataclass
class Built:
    """The networks of a run."""

    generator: Generator
    opponent: Discriminator | AutoEncoder | Encoder
    recogniser: Recogniser | None

    def to(self, device: torch.device) -> Self:
        for network in (self.generator, self.opponent, self.recogniser):
            if network is not None:
                network.to(device)
        return self


def check_fit(name: str, objective: str, codes: Codes) -> None:
    """Raises UnknownName and Unfit."""
    if name not in NETWORKS:
        raise UnknownName("network", name, list(NETWORKS))
    if objective == EVIDENCE_BOUND:
        if codes != "cgan":
            raise Unfit(f"objective '{EVIDENCE_BOUND}' is that of preset 'cvae'; choose another for codes '{codes}'")
        return
    if objective not in OBJECTIVES:
        raise UnknownName("objective", objective, list(OBJECTIVES))
    row = OBJECTIVES[objective]
    if row.energies and codes == "cgan":
        raise Unfit(f"objective '{objective}' cannot be told classes; choose preset 'acgan' or another objective")
    if (row.clip or row.penalty or row.energies) and name in ("compact", "dcgan"):
        raise Unfit(
            f"objective '{objective}' needs a discriminator without normalisation, and network '{name}' has one; "
            "choose a preset of network 'compact-free' or 'mlp'"
        )


def build(name: str, objective: str, codes: Codes, space: LatentSpace, shape: ImageShape, dropout: float) -> Built:
    """A recogniser only where codes are to be read; a discriminator that is told classes only for `cgan`."""
    network = NETWORKS[name]
    inputs = space.noise_size + len(space.classes) + len(space.styles)
    generator = Generator(network.generator(inputs, shape), shape)
    opponent = _opponent(network, objective, len(space.classes) if codes in TOLD else 0, space, shape, dropout)
    heads = {"infogan": HEADS, "acgan": 1}
    return Built(generator, opponent, Recogniser(space, shape, heads[codes]) if codes in heads else None)


def _opponent(
    network: Network, objective: str, told: int, space: LatentSpace, shape: ImageShape, dropout: float
) -> Discriminator | AutoEncoder | Encoder:
    trunk = network.trunk(shape, dropout)
    if objective == EVIDENCE_BOUND:
        return Encoder(trunk, network.features, space)
    if OBJECTIVES[objective].energies:
        return AutoEncoder(trunk, network.features, shape)
    return Discriminator(trunk, network.features, told, spectral=network.spectral)
