"""One training step: the discriminator (and recogniser) learn, then the generator does."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot
from torch.optim import Optimizer

from latent import LatentSpace
from training.datasets.augment import augment
from training.loop import headstart
from training.loop.players import LR_Q, Players, weights_of
from training.measures.judge import FADE as JUDGE_FADE
from training.networks.latents import Latents, draw
from training.networks.recogniser import Recogniser
from training.parallel import ALONE, Group
from training.precision import multiplying
from training.recipes.objectives import DIVERGENCE_WEIGHT, Objective, balance, evidence_bound
from training.recipes.presets import TOLD, Codes

STYLE_WEIGHT = 0.5
"""Lambda of the style codes' term (Chen et al. 2016, appendix C)."""

CLASS_WEIGHT = {"infogan": 0.1, "cgan": 0.1, "acgan": 1.0}
"""Lambda of the class codes' term. D is told the classes by all but an ACGAN, of which Q alone asks for them."""


@dataclass(frozen=True)
class Batch:
    """Real images (N, channels, H, W) in [-1, 1], and their classes (N,): labels or, of an InfoGAN, codes."""

    images: Tensor
    labels: Tensor

    def one_hot(self, classes: int) -> Tensor:
        """(N, C)"""
        return one_hot(self.labels, classes).float()


@dataclass(frozen=True)
class AdversarialStep:
    """The parts of a training step that stay the same in all steps."""

    space: LatentSpace
    codes: Codes
    objective: Objective
    critic_steps: int
    head_start: int
    """Steps in which only the recogniser learns."""
    mixing: bool
    """Whether what D says of an image depends on the others of its batch."""
    precision: torch.dtype
    """Of the products within layers; weights, losses and what Adam keeps are float32."""
    group: Group = ALONE
    """The processes that each take their part of a batch."""

    def __call__(self, players: Players, real: Batch, source: torch.Generator, number: int) -> dict[str, Tensor]:
        """Train the players once; return scalars on their device. `number` counts the steps of the run."""
        terms: dict[str, Tensor] = {}
        if players.recogniser is not None and (number < self.head_start or not self.head_start):
            terms |= self._recognise(players, players.recogniser, real, source, number)
        if number < self.head_start:
            return terms
        latents = Latents(*map(self.group.part, draw(self.space, len(real.images), source)))
        real = Batch(self.group.part(real.images), self.group.part(real.labels))
        with self._narrow(real.images):
            fake = players.generator(*latents).float()
        real_outputs, more = self._discriminate(players, real, fake.detach(), latents, source)
        terms |= more
        if self.moves_generator(number):
            terms |= self._generate(players, real_outputs, fake, latents)
        return terms

    def moves_generator(self, number: int) -> bool:
        """Return whether G learns in this step of the run, and not D alone."""
        return (number + 1) % self.critic_steps == 0

    def _told(self, classes: Tensor) -> Tensor:
        """Return the classes (N, C) that D sees: all of them, or none."""
        return classes if self.codes in TOLD else classes[:, :0]

    def _recognise(
        self, players: Players, recogniser: Recogniser, real: Batch, source: torch.Generator, number: int
    ) -> dict[str, Tensor]:
        """Train Q's class codes on real images only: two views of an image have one class."""
        progress = number / self.head_start if self.head_start else 0.0
        for group in players.optimiser_class.param_groups:
            group["lr"] = LR_Q * headstart.pace(progress)
        # A label holds at any brightness, and for the image itself. Without one, brightness tells what it is, and what
        # was found is wrong of some images, which Q would learn by heart.
        if self.codes == "infogan":
            both = [augment(real.images, source, headstart.FADE) for _ in range(2)]
        else:
            both = [real.images, augment(real.images, source, JUDGE_FADE)]
        views = torch.cat([self.group.part(each) for each in both])
        with self._narrow(views):
            logits = recogniser.classes.train()(views).float()
        loss = cross_entropy(logits, self.group.part(real.labels).repeat(2))
        descend(self.group, players.optimiser_class, loss)
        return {"loss_classifier": loss.detach()}

    def _discriminate(
        self, players: Players, real: Batch, fake: Tensor, latents: Latents, source: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        of_real = self._told(real.one_hot(len(self.space.classes)) if self.space.classes else latents.classes)
        of_fake = self._told(latents.classes)
        with self._narrow(real.images):
            outputs = self._judge(players.discriminator, (real.images, fake), (of_real, of_fake))
        real_outputs, fake_outputs = outputs.float()
        weight = players.balance if self.objective.balanced else 1
        loss = self.objective.losses(real_outputs, weight * fake_outputs)[0]
        if self.objective.penalty is not None:
            critic = partial(players.discriminator, classes=of_real)
            loss = loss + self.objective.penalty(critic, real.images, fake, source)
        descend(self.group, players.optimiser_d, loss)
        if self.objective.clip:
            _clip(players.discriminator, self.objective.clip)
        real_outputs, fake_outputs = real_outputs.detach(), fake_outputs.detach()
        if self.objective.balanced:
            energies = [real_outputs.mean(), fake_outputs.mean()]
            self.group.average(energies)
            players.balance.copy_(balance(players.balance, *energies))
        margin = real_outputs.mean() - fake_outputs.mean()
        return real_outputs, {"loss_d": loss.detach(), "margin": margin}

    def _narrow(self, images: Tensor) -> torch.autocast:
        """Compute layers in the step's precision."""
        return multiplying(images.device, self.precision)

    def _judge(self, discriminator: nn.Module, images: tuple[Tensor, Tensor], classes: tuple[Tensor, Tensor]) -> Tensor:
        """Return D's outputs for real and for fake images (2, N): by one pass, if D has no batch norm to mix them."""
        if self.mixing:
            return torch.stack([discriminator(*each) for each in zip(images, classes, strict=True)])
        outputs: Tensor = discriminator(torch.cat(images), torch.cat(classes))
        return outputs.reshape(2, -1)

    def _generate(self, players: Players, real_outputs: Tensor, fake: Tensor, latents: Latents) -> dict[str, Tensor]:
        with self._narrow(fake):
            outputs = players.discriminator(fake, self._told(latents.classes)).float()
        loss = self.objective.losses(real_outputs, outputs)[1]
        terms = {"loss_g": loss.detach()}
        if players.recogniser is not None:
            with self._narrow(fake):
                recognised, more = recognition(players.recogniser, fake, latents, CLASS_WEIGHT[self.codes])
            loss = loss + recognised
            terms |= more
        descend(self.group, players.optimiser_g, loss)
        return terms


@dataclass(frozen=True)
class VariationalStep:
    """The step of the variational auto-encoder: one loss trains encoder and generator together."""

    space: LatentSpace
    head_start: int = 0
    group: Group = ALONE

    def __call__(self, players: Players, real: Batch, source: torch.Generator, number: int) -> dict[str, Tensor]:  # noqa: ARG002
        """Train the players once, as `AdversarialStep` does."""
        classes = self.group.part(real.one_hot(len(self.space.classes)))
        images = self.group.part(real.images)
        mean, log_variance = players.discriminator(images, classes)
        drawn = torch.randn(len(real.images), mean.shape[1], generator=source, device=mean.device)
        spread = self.group.part(drawn)
        noise = mean + spread * (log_variance / 2).exp()  # (N, Z)
        pixels = players.generator.logits(noise, classes, classes[:, :0])
        reconstruction, divergence = evidence_bound(pixels, (images + 1) / 2, mean, log_variance)
        loss = reconstruction + DIVERGENCE_WEIGHT * divergence
        descend(self.group, players.optimiser_g, loss, players.optimiser_d)
        return {"loss_g": reconstruction.detach(), "loss_d": divergence.detach()}

    def moves_generator(self, number: int) -> bool:  # noqa: ARG002
        """Return True: all networks learn in each step."""
        return True


Step = AdversarialStep | VariationalStep


def recognition(
    recogniser: Recogniser, fake: Tensor, latents: Latents, class_weight: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The bound on the codes' mutual information with the image, negated (Chen et al. 2016, equation 5).

    Class codes by cross entropy; style codes by a Gaussian of fixed variance, which is a squared error.
    The class codes judge fakes by the batch statistics of real images.
    """
    recogniser.classes.eval()
    logits, means = recogniser(fake)
    loss_class = cross_entropy(logits.float(), latents.classes)
    terms = {"loss_class": loss_class.detach()}
    if recogniser.styles is None:
        return class_weight * loss_class, terms
    loss_style = mse_loss(means.float(), latents.styles)
    return class_weight * loss_class + STYLE_WEIGHT * loss_style, terms | {"loss_style": loss_style.detach()}


def descend(group: Group, optimiser: Optimizer, loss: Tensor, *allies: Optimizer) -> None:
    """Take one step down the loss of all processes, and leave the gradient with the weights that moved.

    Allies descend the same loss. No other network's gradient is worked out: G's loss passes through D.
    """
    optimisers = (optimiser, *allies)
    moved = [weights for each in optimisers for weights in weights_of(each)]
    for weights in moved:
        weights.grad = None
    loss.backward(inputs=moved)  # type: ignore[no-untyped-call]
    group.average([weights.grad for weights in moved if weights.grad is not None])
    for each in optimisers:
        each.step()


@torch.no_grad()
def _clip(network: nn.Module, largest: float) -> None:
    for weights in network.parameters():
        weights.clamp_(-largest, largest)
