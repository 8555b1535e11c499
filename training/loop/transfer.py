"""Transfer: begin a run with the networks of another run, and freeze some of their layers."""

import re

from torch import nn

from training.errors import Unfit
from training.loop.checkpoint import State, read_checkpoint
from training.loop.run import Run
from training.networks.build import Built

FREEZABLE = ("generator", "discriminator")
WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def freeze(built: Built, chosen: tuple[str, ...]) -> None:
    """Freeze layers. Each choice is `NETWORK:N`: the layers before the N-th, or all but the last -N.

    Holding the first layers of D is FreezeD (Mo et al. 2020); those of G, Zhao et al. 2020, section 3. Raises Unfit.
    """
    networks = dict(zip(FREEZABLE, (built.generator, built.opponent), strict=True))
    for choice in chosen:
        match = re.fullmatch(rf"({'|'.join(FREEZABLE)}):(-?\d+)", choice)
        if match is None:
            raise Unfit(f"--freeze '{choice}' is not NETWORK:N; 'generator:-2' trains the last two layers of G alone")
        layers, end = layers_of(networks[match[1]]), int(match[2])
        held = layers[:end]
        if not 0 < len(held) < len(layers):
            raise Unfit(
                f"--freeze '{choice}' leaves none of its {len(layers)} layers held, or none to train; choose from "
                f"{match[1]}:1 to {match[1]}:{len(layers) - 1}, or from {match[1]}:-{len(layers) - 1} to {match[1]}:-1"
            )
        for layer in held:
            layer.requires_grad_(requires_grad=False)


def layers_of(network: nn.Module) -> list[nn.ModuleList]:
    """Return each layer that has weights, with the norm after it, from input to output."""
    layers: list[nn.ModuleList] = []
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            layers.append(nn.ModuleList([module]))
        elif isinstance(module, NORMS):
            layers[-1].append(module)
    return layers


def begin_from(source: Run, state: State) -> None:
    """Copy the networks of the source's last checkpoint into a fresh state. Raises InvalidRun and Unfit."""
    path = source.last_checkpoint()
    saved = read_checkpoint(path, state.source.device)
    for name, network in state.networks().items():
        mine, others = network.state_dict(), saved.get(name, {})
        differing = [key for key in mine if key not in others or mine[key].shape != others[key].shape]
        if differing:
            raise Unfit(
                f"{source.folder} does not fit the new images: its {name} has another '{differing[0]}'; the images "
                "must have the same size and channels and, where the preset has classes, as many of them"
            )
        network.load_state_dict(others)
