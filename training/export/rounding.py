"""From a trained generator to one with exact arithmetic: its weights, biases and activations rounded to whole numbers.

The method is that of Jacob et al. 2018, sections 2.1 and 2.4, with one scale for each output channel and rounding to
the nearest, but the whole numbers stay in float32.
"""

import copy
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from latent import LatentSpace
from latent.space import NoiseDistribution
from training.errors import ExportRefused
from training.export.styles import REACHES
from training.networks.exact import (
    LEVELS,
    STEP,
    VALUES,
    WEIGHTS,
    WHOLE,
    CodeGrid,
    ExactGenerator,
    ExactLayer,
    LeakyExactLayer,
)
from training.networks.gan import Generator
from training.networks.latents import Latents, draw

Linear = nn.Linear | nn.ConvTranspose2d
Layer = TypeVar("Layer", bound=nn.Module)

SEED = 11
CALIBRATED = 2_048
"""Images whose activations are seen."""

COMPARED = 512
"""Images by which the shares are compared."""

SHARES = (1.0, 0.85, 0.7)
"""Shares of the largest activation seen that a channel's grid may reach. What is above is clipped."""

FINEST = 10
COARSEST = 7
"""Bits behind the point of uniform noise, class weights and styles."""


@dataclass(frozen=True)
class Block:
    """A linear map with its batch norm folded in, and what follows it."""

    linear: Linear
    slope: float | None
    """Of the ReLU, 0 if it does not leak; None after the last map."""
    shaping: nn.Unflatten | None


@dataclass(frozen=True)
class Grid:
    """The whole numbers that a layer takes: of each input channel what 1 stands for, and the largest size, (I,)."""

    unit: Tensor
    reach: Tensor


def round_generator(generator: Generator, space: LatentSpace) -> ExactGenerator:
    """Round a generator in evaluation mode, on the CPU.

    Raises ExportRefused for a layer that has no exact form, and for weights that are no numbers.
    """
    if not all(values.isfinite().all() for values in generator.state_dict().values()):
        raise ExportRefused("a weight is infinite or not a number: the run diverged; nothing was written")
    source = torch.Generator().manual_seed(SEED)
    seen, compared = _draw_widely(space, CALIBRATED, source), draw(space, COMPARED, source)
    blocks = list(_fold(generator.layers))
    largest = _observe(blocks, torch.cat(list(seen), 1))
    wanted = generator(*compared)
    rounded = [_round(generator, blocks, space, [share * one for one in largest]) for share in SHARES]
    return min(rounded, key=lambda exact: float((exact(*compared) - wanted).square().mean()))


def largest_sum(exact: ExactGenerator) -> float:
    """The largest sum that a channel can reach, as a share of 2^24. Sums are exact if it is below 1."""
    grid, *_ = exact.layers
    assert isinstance(grid, CodeGrid)
    reach, largest = grid.reach, 0.0
    for layer in exact.layers:
        if isinstance(layer, ExactLayer):
            largest = max(largest, float(sums(layer.linear, reach).max()) / WHOLE)
            reach = torch.full((1,), float(max(map(abs, layer.bounds))))
    return largest


@torch.no_grad()
def _observe(blocks: list[Block], codes: Tensor) -> list[Tensor]:
    """The largest size that each channel's output (C,) takes on, for each layer but the last."""
    outputs, largest = codes, []
    for block in blocks[:-1]:
        outputs = leaky_relu(block.linear(outputs), block.slope or 0.0)
        outputs = outputs if block.shaping is None else block.shaping(outputs)
        largest.append(outputs.abs().transpose(0, 1).flatten(1).amax(1))
    return largest


@torch.no_grad()
def _round(generator: Generator, blocks: list[Block], space: LatentSpace, largest: list[Tensor]) -> ExactGenerator:
    """Round with grids that reach the largest output of each channel."""
    grid = _code_grid(space, blocks[0].linear)
    layers: list[nn.Module] = [CodeGrid(1 / grid.unit, grid.reach)]
    for place, block in enumerate(blocks):
        linear, unit = round_linear(block.linear, grid)
        if block.slope is None:
            layers.append(ExactLayer(linear, (unit / STEP).float(), (-VALUES, VALUES - 1)))
            break
        grid = _output_grid(largest[place])
        gain = (unit / grid.unit.repeat_interleave(len(unit) // len(grid.unit))).float()
        layers.append(_hidden_layer(linear, gain, block.slope))
        layers += [] if block.shaping is None else [block.shaping]
    return ExactGenerator(nn.Sequential(*layers), generator.image).eval().requires_grad_(False)


def round_linear(linear: Linear, grid: Grid) -> tuple[Linear, Tensor]:
    """Round the weights and the bias of a map whose inputs are on the grid.

    Returns the map of whole numbers, and what 1 of its sums stands for in each output channel: (O,), float64. This is
    as fine as the largest size of a weight allows, or coarser where a sum could reach 2^24.
    """
    unit = _finest(linear, grid)
    while True:
        whole = _scale(linear, grid, unit)
        share = sums(whole, grid.reach) / WHOLE
        if (share < 1).all():
            return whole, unit
        unit = torch.where(share < 1, unit, unit * 1.01 * share)


def sums(whole: Linear, reach: Tensor) -> Tensor:
    """The largest size that a sum, or a part of it in any order, can reach in each output channel: (O,), float64."""
    assert whole.bias is not None
    sizes = _by_output(whole).abs() * reach.double()[:, None]
    return sizes.sum((1, 2)) + whole.bias.double().abs()


def _finest(linear: Linear, grid: Grid) -> Tensor:
    """What 1 of the sums stands for where the largest weight becomes `WEIGHTS`: (O,)"""
    real = _by_output(linear) * grid.unit.double()[:, None]
    return (real.abs().amax((1, 2)) / WEIGHTS).clamp_min(1e-12)


def _scale(linear: Linear, grid: Grid, unit: Tensor) -> Linear:
    """The map with its weights and bias in whole units (O,) of its sums."""
    real = _by_output(linear) * grid.unit.double()[:, None]
    whole = (real / unit[:, None, None]).round()
    bias = torch.zeros_like(unit) if linear.bias is None else (linear.bias.double() / unit).round()
    made = copy.deepcopy(linear)
    made.weight = nn.Parameter(_as_weight(linear, whole), requires_grad=False)
    made.bias = nn.Parameter(bias.float(), requires_grad=False)
    return made


def _by_output(linear: Linear) -> Tensor:
    """The weights in float64, with the output channels first: (O, I, K), where K are the places of a kernel."""
    outputs_first = linear.weight if isinstance(linear, nn.Linear) else linear.weight.transpose(0, 1)
    return outputs_first.double().flatten(2) if outputs_first.dim() > 2 else outputs_first.double()[:, :, None]


def _as_weight(linear: Linear, by_output: Tensor) -> Tensor:
    """What `_by_output` does, undone, in float32."""
    if isinstance(linear, nn.Linear):
        return by_output[:, :, 0].float()
    return by_output.transpose(0, 1).reshape(linear.weight.shape).float().contiguous()


def _code_grid(space: LatentSpace, first: Linear) -> Grid:
    """The finest grid of the codes for which the sums of the first layer fit with weights of the full size."""
    grids = [_grid_of_codes(space, bits) for bits in range(COARSEST, FINEST + 1)]
    fit = [grid for grid in grids if (sums(_scale(first, grid, _finest(first, grid)), grid.reach) < WHOLE).all()]
    return (fit or grids[:1])[-1]


def _grid_of_codes(space: LatentSpace, bits: int) -> Grid:
    normal = space.noise_distribution is NoiseDistribution.NORMAL
    sizes = (space.noise_size, len(space.classes), len(space.styles))
    units = (2.0 ** ((3 if normal else 0) - bits), 2.0**-bits, 2.0**-bits)
    limits = (space.noise_limit, 1.0, REACHES[-1])
    unit = torch.cat([torch.full((size,), one) for size, one in zip(sizes, units, strict=True)])
    limit = torch.cat([torch.full((size,), one) for size, one in zip(sizes, limits, strict=True)])
    return Grid(unit, limit / unit)


def _output_grid(largest: Tensor) -> Grid:
    """The grid that reaches the largest output of each channel (C,)."""
    unit = largest.clamp_min(float(largest.max()) / LEVELS).clamp_min(1e-12) / LEVELS
    return Grid(unit, torch.full_like(unit, LEVELS))


def _draw_widely(space: LatentSpace, count: int, source: torch.Generator) -> Latents:
    """Random codes, of which half have style codes from the widest range that a card may give."""
    latents = draw(space, count, source)
    styles = latents.styles.clone()
    styles[::2] *= REACHES[-1]
    return latents._replace(styles=styles)


def _hidden_layer(linear: Linear, gain: Tensor, slope: float) -> ExactLayer:
    return LeakyExactLayer(linear, gain, slope) if slope else ExactLayer(linear, gain, (0, LEVELS))


def _fold(layers: nn.Sequential) -> Iterator[Block]:
    """The linear maps in their order, each with its batch norm inside. Raises ExportRefused."""
    waiting = deque(layers)
    while waiting:
        linear = waiting.popleft()
        if not isinstance(linear, Linear):
            raise ExportRefused(f"a layer of type {type(linear).__name__} has no exact form; nothing was written")
        norm = _next(waiting, nn.BatchNorm1d, nn.BatchNorm2d)
        activation = _next(waiting, nn.ReLU, nn.LeakyReLU)
        slope = None if activation is None else getattr(activation, "negative_slope", 0.0)
        shaping = _next(waiting, nn.Unflatten)
        yield Block(linear if norm is None else _fold_batch_norm(linear, norm), slope, shaping)


def _next(waiting: deque[nn.Module], *kinds: type[Layer]) -> Layer | None:
    """Take the first layer if it is of one of these kinds."""
    if not waiting or not isinstance(waiting[0], kinds):
        return None
    layer = waiting.popleft()
    assert isinstance(layer, kinds)
    return layer


def _fold_batch_norm(linear: Linear, norm: _BatchNorm) -> Linear:
    if isinstance(linear, nn.Linear):
        return fuse_linear_bn_eval(linear, norm)
    return fuse_conv_bn_eval(linear, norm, transpose=True)
