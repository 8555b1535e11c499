"""What the discriminator and the generator minimise: pure functions of their logits."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(logits of real, logits of fake), each of shape (N,), to the losses of D and of G, both scalars."""


def non_saturating(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy, with G maximising log D(G(z)).

    The minimax G minimises log(1 - D(G(z))), whose gradient vanishes while D rejects every fake
    (Goodfellow et al. 2014, section 3).
    """
    return softplus(-real).mean() + softplus(fake).mean(), softplus(-fake).mean()


OBJECTIVES: dict[str, Objective] = {"non-saturating": non_saturating}


def mutual_information(first: Tensor, second: Tensor) -> Tensor:
    """Information, in nats, between the class codes of two views, from their logits (N, C); at most log C.

    The joint distribution is the mean outer product of the two views' probabilities, made symmetric
    (Ji et al. 2019, "Invariant information clustering", equation 3).
    """
    joint = first.softmax(1).T @ second.softmax(1) / len(first)  # (C, C)
    joint = ((joint + joint.T) / 2).clamp_min(1e-8)
    margin = joint.sum(1)
    return (joint * (joint.log() - margin.log()[:, None] - margin.log()[None, :])).sum()
