"""Random points of the latent space on the training device."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from latent import LatentSpace
from latent.space import NoiseDistribution


class Latents(NamedTuple):
    """Inputs of a generator, all float32."""

    noise: Tensor
    """(N, Z)"""
    classes: Tensor
    """(N, C), one-hot"""
    styles: Tensor
    """(N, S)"""


def draw(space: LatentSpace, count: int, source: torch.Generator) -> Latents:
    """Draw noise, equally likely class codes, and style codes uniform over [-1, 1]."""
    device = source.device
    if space.noise_distribution is NoiseDistribution.UNIFORM:
        noise = torch.rand(count, space.noise_size, generator=source, device=device) * 2 - 1
    else:
        noise = torch.randn(count, space.noise_size, generator=source, device=device)
    styles = torch.rand(count, len(space.styles), generator=source, device=device) * 2 - 1
    if not space.classes:
        return Latents(noise, torch.zeros(count, 0, device=device), styles)
    drawn = torch.randint(len(space.classes), (count,), generator=source, device=device)
    return Latents(noise, one_hot(drawn, len(space.classes)).float(), styles)


def grid(space: LatentSpace, columns: int, source: torch.Generator) -> Latents:
    """A sheet's codes: class codes down, the first style code across, and within a row nothing else moves.

    Where there are no style codes, each point has noise of its own, in ten rows where there are no classes either.
    Returns rows * columns points, row by row.
    """
    rows = len(space.classes) or 10
    device = source.device
    varied = draw(space, rows * columns, source)
    if not space.classes:
        return varied
    classes = torch.eye(rows, device=device).repeat_interleave(columns, 0)
    if not space.styles:
        return Latents(varied.noise, classes, varied.styles)
    noise = varied.noise[:rows].repeat_interleave(columns, 0)
    styles = torch.zeros(rows * columns, len(space.styles), device=device)
    styles[:, 0] = torch.linspace(-1, 1, columns, device=device).repeat(rows)
    return Latents(noise, classes, styles)
