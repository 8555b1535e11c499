"""The players of one run: the networks, each with its optimiser."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Adam

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


def _learning(network: nn.Module) -> list[Tensor]:
    return [weights for weights in network.parameters() if weights.requires_grad]
