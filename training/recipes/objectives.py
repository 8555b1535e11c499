"""What the players minimise: pure functions of logits, energies or codes."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

from training.recipes.penalties import Penalty, interpolated, perturbed, zero_centred

DIVERSITY = 0.5
"""gamma of BEGAN: the energy of fakes as a share of that of real images"""

BALANCE_RATE = 0.01
"""lambda_k of BEGAN; ten times the paper's, whose runs are ten times as long"""

DIVERGENCE_WEIGHT = 6.0
"""beta of the auto-encoder (Higgins et al. 2017, equation 4); 1 is the bound itself. With 1 the codes of real images
keep to a part of the Gaussian, and what is drawn from the rest of it is often of no class: 44 % of digits were of the
asked one after two epochs, with 6, 96 %."""

Losses = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(outputs of D for real, for fake), each of shape (N,), to the losses of D and of G, both scalars."""

ENERGY_MARGIN = 0.3
"""m of EBGAN, in mean absolute errors of a pixel in [-1, 1]; a trained auto-encoder's is some 0.05"""


def non_saturating(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy, with G maximising log D(G(z)) (Goodfellow et al. 2014, section 3)."""
    return softplus(-real).mean() + softplus(fake).mean(), softplus(-fake).mean()


def minimax(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy, with G minimising log(1 - D(G(z))) (Goodfellow et al. 2014, equation 1).

    G's gradient vanishes while D rejects every fake, which is why `non_saturating` exists.
    """
    return softplus(-real).mean() + softplus(fake).mean(), -softplus(fake).mean()


def least_squares(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distance to the labels 1 and 0 (Mao et al. 2017, equation 9)."""
    return ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2, ((fake - 1) ** 2).mean() / 2


def wasserstein(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The earth mover's distance by its dual, D being 1-Lipschitz (Arjovsky et al. 2017, equation 2)."""
    return fake.mean() - real.mean(), -fake.mean()


def hinge(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Margins of 1 for D alone (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""
    return relu(1 - real).mean() + relu(1 + fake).mean(), -fake.mean()


def relativistic(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Each fake against the real image it is paired with (Jolicoeur-Martineau 2019; Huang et al. 2024, equation 2)."""
    return softplus(fake - real).mean(), softplus(real - fake).mean()


def energy(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Low energies for real images, above a margin for fake ones (Zhao et al. 2017, equations 1 and 2)."""
    return real.mean() + relu(ENERGY_MARGIN - fake).mean(), fake.mean()


def equilibrium(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Energies, D's of fakes weighed by k beforehand (Berthelot et al. 2017, section 3.4)."""
    return real.mean() - fake.mean(), fake.mean()


def balance(weight: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """The next k in [0, 1], from the energies (N,) of real and fake (Berthelot et al. 2017, section 3.4)."""
    return (weight + BALANCE_RATE * (DIVERSITY * real.mean() - fake.mean())).clamp(0, 1)


def evidence_bound(pixels: Tensor, real: Tensor, mean: Tensor, log_variance: Tensor) -> tuple[Tensor, Tensor]:
    """Reconstruction and divergence from N(0, 1), in nats an image; their sum is the negated bound.

    `pixels` are the logits of a Bernoulli and `real` its means in [0, 1], both (N, channels, H, W); `mean` and
    `log_variance` (N, Z) describe the encoder's Gaussian (Kingma and Welling 2014, equation 10 and appendix B).
    """
    reconstruction = binary_cross_entropy_with_logits(pixels, real, reduction="sum") / len(real)
    divergence = (mean**2 + log_variance.exp() - 1 - log_variance).sum() / 2 / len(real)
    return reconstruction, divergence


@dataclass(frozen=True)
class Objective:
    """One row: the losses, and what keeps D from being too sharp for them."""

    losses: Losses
    penalty: Penalty | None = None
    clip: float = 0.0
    """the largest weight of D, or 0 where weights are free"""
    energies: bool = False
    """D gives the error of an auto-encoder and not a logit"""
    balanced: bool = False
    """D attends to fakes by a weight that keeps both energies in proportion (BEGAN)"""


OBJECTIVES: dict[str, Objective] = {
    "non-saturating": Objective(non_saturating),
    "minimax": Objective(minimax),
    "lsgan": Objective(least_squares),
    "wgan": Objective(wasserstein, clip=0.01),
    "wgan-gp": Objective(wasserstein, interpolated),
    "dragan": Objective(non_saturating, perturbed),
    "hinge": Objective(hinge),
    "rpgan-r1r2": Objective(relativistic, zero_centred),
    "ebgan": Objective(energy, energies=True),
    "began": Objective(equilibrium, energies=True, balanced=True),
}

EVIDENCE_BOUND = "elbo"
"""The objective of the variational auto-encoder, which has an encoder where a GAN has a discriminator."""
