"""The players of one run: the networks, each with its optimiser."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Adam, Optimizer

from training.networks.build import Built

BETA2 = 0.999
LR_Q = 1e-3


@dataclass
class Players:
    """The networks, each with its optimiser. D is a discriminator, an auto-encoder or an encoder."""

    built: Built
    lr_d: float
    lr_g: float
    beta1: float
    balance: Tensor = field(init=False)
    """k of BEGAN, a scalar"""

    def __post_init__(self) -> None:
        self.generator = self.built.generator
        self.discriminator: nn.Module = self.built.opponent
        self.recogniser = self.built.recogniser
        betas = (self.beta1, BETA2)
        self.optimiser_d = Adam(_learning(self.discriminator), lr=self.lr_d, betas=betas, fused=True)
        self.optimiser_g = Adam(_learning(self.generator), lr=self.lr_g, betas=betas, fused=True)
        self.balance = torch.zeros((), device=next(self.generator.parameters()).device)
        if self.recogniser is not None:  # no adversary, so Adam's usual betas
            self.optimiser_class = Adam(self.recogniser.classes.parameters(), lr=LR_Q, fused=True)
        self.fit_to_device()

    def set_pace(self, pace: float) -> None:
        """Learn at this share of the first learning rates of D and G."""
        for optimiser, rate in ((self.optimiser_d, self.lr_d), (self.optimiser_g, self.lr_g)):
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate * pace)
                else:
                    group["lr"] = rate * pace

    def fit_to_device(self) -> None:
        """Let a CUDA graph take the optimisers' steps on a card, whatever the checkpoint they come from says.

        A graph reads the learning rate anew if it lies on the card.
        """
        on_card = self.balance.is_cuda
        for optimiser in self.optimisers():
            for group in optimiser.param_groups:
                rate = float(group["lr"])
                group["lr"] = torch.tensor(rate, device=self.balance.device) if on_card else rate
                group["capturable"] = on_card

    def optimisers(self) -> list[Adam]:
        of_q = [] if self.recogniser is None else [self.optimiser_class]
        return [self.optimiser_d, self.optimiser_g, *of_q]

    def gradient_norms(self) -> dict[str, Tensor]:
        """Return the norms of the gradients that D and G last moved by; none of a player that has not moved."""
        optimisers = {"gradient_d": self.optimiser_d, "gradient_g": self.optimiser_g}
        gradients = {
            name: [weights.grad for weights in weights_of(optimiser) if weights.grad is not None]
            for name, optimiser in optimisers.items()
        }
        return {name: get_total_norm(some) for name, some in gradients.items() if some}


def weights_of(optimiser: Optimizer) -> list[Tensor]:
    return [weights for group in optimiser.param_groups for weights in group["params"]]


def _learning(network: nn.Module) -> list[Tensor]:
    return [weights for weights in network.parameters() if weights.requires_grad]
