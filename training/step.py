"""One training step: the discriminator (and recogniser) learn, then the generator does."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim import Adam

from latent import LatentSpace
from training.augment import augment
from training.latents import Latents, draw
from training.networks import Discriminator, Generator, Recogniser
from training.objectives import Objective, mutual_information

STYLE_WEIGHT = 0.5
"""Lambda of the style codes' term; that of the class codes is 1 (Chen et al. 2016, appendix C)."""

BETAS = (0.5, 0.999)
LR_Q = 1e-3


@dataclass
class Players:
    """The networks, each with its optimiser."""

    generator: Generator
    discriminator: Discriminator
    recogniser: Recogniser | None
    lr_d: float
    lr_g: float

    def __post_init__(self) -> None:
        self.optimiser_d = Adam(self.discriminator.parameters(), lr=self.lr_d, betas=BETAS)
        self.optimiser_g = Adam(self.generator.parameters(), lr=self.lr_g, betas=BETAS)
        if self.recogniser is not None:
            # No adversary, so Adam's usual betas. The style codes have a trunk of their own: learning them
            # from fakes must not move what the class codes learned from real images.
            self.optimiser_class = Adam(self.recogniser.classes.parameters(), lr=LR_Q)
            self.optimiser_style = Adam(self.recogniser.styles.parameters(), lr=LR_Q)


@dataclass(frozen=True)
class Step:
    """What does not change from one step to the next."""

    space: LatentSpace
    objective: Objective
    head_start: int
    """Steps in which only the recogniser learns, sorting real images into classes."""

    def __call__(self, players: Players, real: Tensor, source: torch.Generator, number: int) -> dict[str, Tensor]:
        """Move the players once on `real` (N, channels, H, W) in [-1, 1]; returns scalars on its device.

        `number` counts the steps of the run.
        """
        terms: dict[str, Tensor] = {}
        if players.recogniser is not None:
            terms |= _sort(players, players.recogniser, real, source)
        if number < self.head_start:
            return terms
        latents = draw(self.space, len(real), source)
        fake = players.generator(*latents)
        real_logits, more = self._discriminate(players, real, fake.detach())
        return terms | more | self._generate(players, real_logits, fake, latents)

    def _discriminate(self, players: Players, real: Tensor, fake: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        real_logits, fake_logits = players.discriminator(real), players.discriminator(fake)
        loss = self.objective(real_logits, fake_logits)[0]
        _descend(players.optimiser_d, loss)
        margin = real_logits.mean() - fake_logits.mean()
        return real_logits.detach(), {"loss_d": loss.detach(), "margin": margin.detach()}

    def _generate(self, players: Players, real_logits: Tensor, fake: Tensor, latents: Latents) -> dict[str, Tensor]:
        """G, and with it Q's reading of the style codes, which is no contest between them."""
        adversarial = self.objective(real_logits, players.discriminator(fake))[1]
        terms = {"loss_g": adversarial.detach()}
        if players.recogniser is None:
            _descend(players.optimiser_g, adversarial)
            return terms
        recognised, more = recognition(players.recogniser, fake, latents)
        players.optimiser_style.zero_grad(set_to_none=True)
        _descend(players.optimiser_g, adversarial + recognised)
        players.optimiser_style.step()
        return terms | more


def recognition(recogniser: Recogniser, fake: Tensor, latents: Latents) -> tuple[Tensor, dict[str, Tensor]]:
    """The bound on the codes' mutual information with the image, negated (Chen et al. 2016, equation 5).

    Class codes by cross entropy; style codes by a Gaussian of fixed variance, which is a squared error.
    The class codes judge fakes by the batch statistics of real images.
    """
    recogniser.classes.eval()
    logits, means = recogniser(fake)
    loss_class = cross_entropy(logits, latents.classes)
    loss_style = mse_loss(means, latents.styles)
    terms = {"loss_class": loss_class.detach(), "loss_style": loss_style.detach()}
    return loss_class + STYLE_WEIGHT * loss_style, terms


def _sort(players: Players, recogniser: Recogniser, real: Tensor, source: torch.Generator) -> dict[str, Tensor]:
    """Q's class codes learn from real images alone: two views of an image are one class (Ji et al. 2019)."""
    views = torch.cat([real, augment(real, source)])
    first, second = recogniser.classes.train()(views).chunk(2)
    information = mutual_information(first, second)
    _descend(players.optimiser_class, -information)
    return {"information": information.detach()}


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
