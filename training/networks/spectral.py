"""Layers with spectral norm: their weights are divided by the most that they stretch any input.

That is the largest singular value, by power iteration, one round at each use in training (Miyato et al. 2018, algorithm
1). torch's own parametrisation copies the weights at each use, and takes their gradient back through the copy; that
took a third of a training step.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

SETTLING = 15
"""rounds of the power iteration before the first use"""


class SpectralConv2d(nn.Conv2d):
    """A convolution, whose few weights are divided."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding)
        self.register_buffer("direction", settle(self.weight))
        self.direction: Tensor
        """the input (inputs * kernel * kernel,) of length 1 that the weights stretch most"""

    def forward(self, images: Tensor) -> Tensor:
        stretched = (self.weight.flatten(1) @ self.direction.clone()).float()
        if self.training:
            self.direction.copy_(turn(self.weight, stretched))
        convolved: Tensor = self._conv_forward(images, self.weight / stretched.norm(), self.bias)
        return convolved


class SpectralLinear(nn.Linear):
    """A linear layer, whose outputs are divided. What the weights stretch most goes through it as one more row."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, bias)
        self.biased = bias
        self.register_buffer("direction", settle(self.weight))
        self.direction: Tensor
        """(inputs,), as above"""

    def forward(self, rows: Tensor) -> Tensor:
        outputs = linear(torch.cat([rows, self.direction[None].to(rows.dtype)]), self.weight)
        stretched = outputs[-1].float()
        if self.training:
            self.direction.copy_(turn(self.weight, stretched))
        divided: Tensor = outputs[:-1] / stretched.norm()
        return divided + self.bias if self.biased else divided


@torch.no_grad()
def turn(weight: Tensor, stretched: Tensor) -> Tensor:
    """Return the direction after one more round, given what the weights make of the present one (outputs,)."""
    return normalize((stretched @ weight.flatten(1)).float(), dim=0)


@torch.no_grad()
def settle(weight: Tensor) -> Tensor:
    """Return the direction that weights (outputs, ...) stretch most, from a random one."""
    matrix = weight.flatten(1)
    direction = normalize(torch.randn(matrix.shape[1]), dim=0)
    for _ in range(SETTLING):
        direction = turn(matrix, matrix @ direction)
    return direction
