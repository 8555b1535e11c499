"""A generator whose arithmetic is exact: whole numbers held in float32.

A sum of whole numbers is exact in float32, in any order, while every partial sum stays below 2^24. Between two layers
each number is multiplied once, rounded and clipped: single operations of IEEE 754, which all processors round alike.
So the same codes give the same pixels in every batch, on every machine. `docs/decisions/exact-arithmetic.md` says why.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from latent import ImageShape
from training.networks.gan import Generator

WHOLE = 2**24
"""Float32 holds every whole number below this one, in size."""

WEIGHTS = 1023
"""The largest size of a whole weight. 127 was too coarse: the FID of a generator of clothes doubled."""

LEVELS = 255
"""The largest size of a hidden layer's output."""

VALUES = 2048
"""Values of a pixel before the table of grey levels, on either side of 0."""

STEP = 2.0**-9
"""What one of these values stands for, as an argument of tanh: the table reaches from tanh -4 to tanh 4."""


class CodeGrid(nn.Module):
    """Rounds noise, class weights and styles to whole numbers."""

    def __init__(self, grain: Tensor, reach: Tensor) -> None:
        """Take the whole numbers to a unit (K,), powers of 2, and the largest whole number (K,) of each input."""
        super().__init__()
        self.register_buffer("grain", grain)
        self.register_buffer("reach", reach)
        self.grain: Tensor
        self.reach: Tensor

    def forward(self, codes: Tensor) -> Tensor:
        """(N, K) -> whole numbers (N, K)"""
        return torch.minimum(torch.maximum((codes * self.grain).round(), -self.reach), self.reach)


class ExactLayer(nn.Module):
    """A linear map of whole numbers, and its way to the grid of the next layer."""

    def __init__(self, linear: nn.Linear | nn.ConvTranspose2d, gain: Tensor, bounds: tuple[int, int]) -> None:
        """Take a map of whole weights, the gain (O,) of each output channel, and the least and largest output."""
        super().__init__()
        self.linear = linear
        self.bounds = bounds
        self.register_buffer("gain", gain if isinstance(linear, nn.Linear) else gain[:, None, None])
        self.gain: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, I, ...) -> (N, O, ...), whole numbers both"""
        return self.activate(self.linear(inputs)).round().clamp(*self.bounds)

    def activate(self, sums: Tensor) -> Tensor:
        """Multiply the sums by the gain. The bounds are the activation: a ReLU if the least output is 0."""
        return sums * self.gain


class LeakyExactLayer(ExactLayer):
    """The same with a leaky ReLU. Each side has a gain of its own, so that each number is multiplied once."""

    def __init__(self, linear: nn.Linear | nn.ConvTranspose2d, gain: Tensor, slope: float) -> None:
        super().__init__(linear, gain, (-LEVELS, LEVELS))
        self.register_buffer("leak", self.gain * slope)
        self.leak: Tensor

    def activate(self, sums: Tensor) -> Tensor:
        return torch.maximum(sums * self.gain, sums * self.leak)


class ExactGenerator(Generator):
    """Draws with a code grid and exact layers, of which the last gives values for the table of grey levels."""

    def __init__(self, layers: nn.Sequential, shape: ImageShape) -> None:
        super().__init__(layers, shape)
        self.register_buffer("table", grey_levels())
        self.table: Tensor

    def forward(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> (N, channels, H, W) in [-1, 1]"""
        return self.grey(noise, classes, styles) / 127.5 - 1

    def logits(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        return super().logits(noise, classes, styles) * STEP

    def grey(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        """(N, Z), (N, C), (N, S) -> uint8 (N, channels, H, W)"""
        places = self._values(noise, classes, styles) + VALUES
        return embedding(places.long(), self.table).squeeze(-1)  # one Gather in ONNX, and not the slower GatherND


def grey_levels() -> Tensor:
    """The grey level of each value from -VALUES on, uint8 (2 * VALUES, 1): tanh differs between libraries."""
    values = torch.arange(-VALUES, VALUES, dtype=torch.float64) * STEP
    return ((values.tanh() + 1) * 127.5).round().to(torch.uint8)[:, None]
