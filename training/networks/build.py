"""Build the networks of one run from a row of the table, an objective and codes that fit each other."""

from dataclasses import dataclass
from typing import Self

import torch

from latent import ImageShape, LatentSpace
from training.errors import Unfit, UnknownName
from training.networks.gan import NETWORKS, AutoEncoder, Discriminator, Encoder, Generator, Network
from training.networks.recogniser import Recogniser
from training.recipes.objectives import EVIDENCE_BOUND, OBJECTIVES
from training.recipes.presets import TOLD, Codes

READ: tuple[Codes, ...] = ("infogan", "cgan", "acgan")
"""With these codes there is a recogniser that reads them, unless an auto-encoder learns."""


@dataclass
class Built:
    """The networks of a run."""

    generator: Generator
    opponent: Discriminator | AutoEncoder | Encoder
    recogniser: Recogniser | None

    def to(self, device: torch.device) -> Self:
        """Move to a device, with the channels of a pixel side by side, which convolutions like."""
        for network in (self.generator, self.opponent, self.recogniser):
            if network is not None:
                network.to(device).to(memory_format=torch.channels_last)
        return self


def check_fit(name: str, objective: str, codes: Codes) -> None:
    """Check that network, objective and codes fit each other. Raises UnknownName and Unfit."""
    if name not in NETWORKS:
        raise UnknownName("network", name, list(NETWORKS))
    if objective == EVIDENCE_BOUND:
        if codes != "cgan":
            raise Unfit(f"objective '{EVIDENCE_BOUND}' is that of preset 'cvae'; choose another for codes '{codes}'")
        return
    if objective not in OBJECTIVES:
        raise UnknownName("objective", objective, list(OBJECTIVES))
    row, network = OBJECTIVES[objective], NETWORKS[name]
    if row.energies and codes in TOLD:
        raise Unfit(f"objective '{objective}' cannot be told classes; choose preset 'acgan' or another objective")
    if (row.clip or row.penalty or row.energies) and (network.spectral or network.batch_norm):
        raise Unfit(
            f"objective '{objective}' needs a discriminator without normalisation, and network '{name}' has one; "
            "choose a preset of network 'compact-free' or 'mlp'"
        )


def build(name: str, objective: str, codes: Codes, space: LatentSpace, shape: ImageShape, dropout: float) -> Built:
    """Build the networks: a recogniser only if it has codes to read; D sees classes only if in `TOLD`."""
    network = NETWORKS[name]
    inputs = space.noise_size + len(space.classes) + len(space.styles)
    generator = Generator(network.generator(inputs, shape), shape)
    opponent = _opponent(network, objective, len(space.classes) if codes in TOLD else 0, space, shape, dropout)
    reads = codes in READ and objective != EVIDENCE_BOUND
    return Built(generator, opponent, Recogniser(space, shape) if reads else None)


def _opponent(
    network: Network, objective: str, told: int, space: LatentSpace, shape: ImageShape, dropout: float
) -> Discriminator | AutoEncoder | Encoder:
    trunk = network.trunk(shape, dropout)
    if objective == EVIDENCE_BOUND:
        return Encoder(trunk, network.features, space)
    if OBJECTIVES[objective].energies:
        return AutoEncoder(trunk, network.features, shape)
    return Discriminator(trunk, network.features, told, spectral=network.spectral)
